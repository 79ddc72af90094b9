/* What this machine can do at most: vector arithmetic on registers, and writing to memory. */
#include <immintrin.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#define WIDTH 8
typedef __m512d v;
#define OP(name) _mm512_##name##_pd
#define STREAM _mm512_stream_pd
#elif defined(__AVX__)
#define WIDTH 4
typedef __m256d v;
#define OP(name) _mm256_##name##_pd
#define STREAM _mm256_stream_pd
#else
#define WIDTH 2
typedef __m128d v;
#define OP(name) _mm_##name##_pd
#define STREAM _mm_stream_pd
#endif
#define CHAINS 12

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

int width(void) { return WIDTH; }

/* Seconds for `count` rounds of CHAINS independent operations, two kinds in turn; the empty asm keeps the compiler from merging them. */
#define EACH(F, f, g) F(0, f) F(1, g) F(2, f) F(3, g) F(4, f) F(5, g) F(6, f) F(7, g) F(8, f) F(9, g) F(10, f) F(11, g)
#define BEGIN(i, f) v x##i = OP(set1)(1.0 + i);
#define ONCE(i, f) x##i = f(x##i); __asm__ volatile("" : "+v"(x##i));
#define ADD(x) OP(add)(x, a)
#define MULTIPLY(x) OP(mul)(x, a)
#define MINIMUM(x) OP(min)(x, a)
#define DIVIDE(x) OP(div)(x, a)
#define FUSED(x) OP(fmadd)(x, a, a)
#define PROBE(name, f, g)                                              \
    double name(long count) {                                          \
        v a = OP(set1)(1.0000001);                                     \
        EACH(BEGIN, f, g)                                              \
        const double start = now();                                    \
        for (long n = 0; n < count; n++) { EACH(ONCE, f, g) }          \
        return now() - start;                                          \
    }
PROBE(add, ADD, ADD)
PROBE(multiply, MULTIPLY, MULTIPLY)
PROBE(minimum, MINIMUM, MINIMUM)
PROBE(divide, DIVIDE, DIVIDE)
PROBE(add_multiply, ADD, MULTIPLY)
PROBE(minimum_multiply, MINIMUM, MULTIPLY)
PROBE(minimum_add, MINIMUM, ADD)
#if defined(__FMA__)
PROBE(fused, FUSED, FUSED)
PROBE(fused_add, FUSED, ADD)
#endif

/* Seconds for `count` rounds of one addition on which the next one waits: gives the clock, an addition taking a fixed number of cycles. */
double chain(long count) {
    uint64_t x = 1;
    const double start = now();
    for (long n = 0; n < count; n++) __asm__ volatile("add $1, %0\n add $1, %0\n add $1, %0\n add $1, %0" : "+r"(x));
    return now() - start;
}

/* Seconds to write `bytes` at `memory` (on a 64-byte boundary), through the caches or past them. */
double write_memory(char *memory, long bytes, int past_the_caches) {
    const v a = OP(set1)(1.5);
    const double start = now();
    if (past_the_caches) {
        for (long i = 0; i < bytes; i += (long)sizeof(v)) STREAM((double *)(memory + i), a);
        _mm_sfence();
    } else {
        for (long i = 0; i < bytes; i += (long)sizeof(v)) OP(store)((double *)(memory + i), a);
        __asm__ volatile("" ::: "memory");
    }
    return now() - start;
}
