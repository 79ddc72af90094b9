"""From the equations to other forms of them: a tracer, and printers."""
