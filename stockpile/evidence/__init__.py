"""What was reported, held against what the model says: ledger, predictions, scores, calibration, published cases."""
