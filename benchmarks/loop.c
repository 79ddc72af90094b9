/* The equations of the model as a loop written by hand, for speed: what the compiled engine is measured against.
 *
 * The text follows stockpile/model/equations.py and stockpile/model/summaries.py for three recipients, operation by operation in
 * the same order, so that without contraction (-ffp-contract=off) it gives the bits of the NumPy engine.
 *
 * A vector of lanes (a member each) goes through all steps before the next one begins; its stocks and summaries stay in registers and
 * the first-level cache. (More vectors a step were slower: their stocks then live in memory.) What is the same for all members is worked out once a step, or once a run, in scalars.
 *
 * Input, for one policy and munition: blocks of LANES members. A block has a file of registers, rows of LANES numbers; `index` says for
 * each step and series which row holds its values over that step. See benchmarks/case.py for the order of everything.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#if defined(__AVX__)
#include <immintrin.h>
#endif

#ifndef LANES
#define LANES 256
#endif
#ifndef STRIDE           /* numbers from one row to the next: padded, else all rows would share a few sets of the first-level cache */
#define STRIDE (LANES + 8)
#endif
#define EACH(r) for (int r = 0; r < 3; r++)
#define TINY 1e-30
#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
#define WIDTH 8
typedef double v __attribute__((vector_size(64)));
typedef int64_t whole __attribute__((vector_size(64)));
typedef __mmask8 mask;
INLINE v all(double x) { return (v)_mm512_set1_pd(x); }
INLINE v least(v a, v b) { return (v)_mm512_min_pd((__m512d)a, (__m512d)b); }
INLINE v most(v a, v b) { return (v)_mm512_max_pd((__m512d)a, (__m512d)b); }
INLINE v fused(v a, v b, v c) { return (v)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c); }
INLINE mask below(v a, v b) { return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LT_OQ); }
INLINE v choose(mask m, v a, v b) { return (v)_mm512_mask_blend_pd(m, (__m512d)b, (__m512d)a); }
INLINE whole counted(whole n, mask m) { return (whole)_mm512_mask_sub_epi64((__m512i)n, m, (__m512i)n, _mm512_set1_epi64(-1)); }
#elif defined(__AVX2__)
#define WIDTH 4
typedef double v __attribute__((vector_size(32)));
typedef int64_t whole __attribute__((vector_size(32)));
typedef whole mask;
INLINE v all(double x) { return (v)_mm256_set1_pd(x); }
INLINE v least(v a, v b) { return (v)_mm256_min_pd((__m256d)a, (__m256d)b); }
INLINE v most(v a, v b) { return (v)_mm256_max_pd((__m256d)a, (__m256d)b); }
#if defined(__FMA__)
INLINE v fused(v a, v b, v c) { return (v)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c); }
#else
INLINE v fused(v a, v b, v c) { return a * b + c; }
#endif
INLINE mask below(v a, v b) { return (mask)_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_LT_OQ); }
INLINE v choose(mask m, v a, v b) { return (v)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)m); }
INLINE whole counted(whole n, mask m) { return n - m; }
#else
#define WIDTH 2
typedef double v __attribute__((vector_size(16)));
typedef int64_t whole __attribute__((vector_size(16)));
typedef whole mask;
INLINE v all(double x) { return (v){x, x}; }
INLINE v choose(mask m, v a, v b) { return (v)((m & (mask)a) | (~m & (mask)b)); }
INLINE mask below(v a, v b) { return a < b; }
INLINE v least(v a, v b) { return choose(a < b, a, b); }
INLINE v most(v a, v b) { return choose(a > b, a, b); }
INLINE v fused(v a, v b, v c) { return a * b + c; }
INLINE whole counted(whole n, mask m) { return n - m; }
#endif

INLINE v load(const double *p) { return *(const v *)p; }
INLINE void store(double *p, v x) { *(v *)p = x; }

/* Orders of the inputs: as in benchmarks/case.py. */
enum { LINE, LOTS, US_SHARE, SHARE, OWN_NEED = SHARE + 3, NEED, PLANNED = NEED + 3, AUTHORISED = PLANNED + 3, OTHER = AUTHORISED + 3,
       US_INFLOW = OTHER + 3, REVIEW_ON, REVIEW_OFF, FLOOR, SERIES };
enum { HISTORY, CUT, SET_ASIDE = CUT + 3, HOLD = SET_ASIDE + 3, DIVERT = HOLD + 3, REVIEW_CUT = DIVERT + 3, REVIEW_SET_ASIDE = REVIEW_CUT + 3,
       REVIEW_HOLD = REVIEW_SET_ASIDE + 3, REVIEW_DIVERT = REVIEW_HOLD + 3, UNIFORM = REVIEW_DIVERT + 3 };
enum { LINE_RATE, ISSUE_TIME, ISSUE_RATE, RELEASE_RATE, CATCH_UP_RATE, ORDER_RATE, COVER, COMMIT, LOSS, CONSTANTS };
enum { PRO_RATA, PRIORITY, WEIGHT = PRIORITY + 3, POLICY = WEIGHT + 3 };
enum { US, BOOK, HAND, WITHHELD = HAND + 3, DEFERRED = WITHHELD + 3, REVIEW = DEFERRED + 3, STOCKS };
enum { LOWEST, LOWEST_AT, AHEAD, AHEAD_AT, TO_US, OWN_USE, OWN_UNMET, RECEIVED, SENT = RECEIVED + 3, USED = SENT + 3, UNMET = USED + 3,
       PASSAGES = UNMET + 3 };
#define MOST_LEVELS 8

typedef struct {
    long blocks, steps, rows, levels, members;
    double dt;
    const double *registers;   /* (blocks, rows, STRIDE) */
    const int32_t *index;      /* (steps, SERIES): row of the file of registers */
    const double *table;       /* (steps, UNIFORM) */
    const double *ahead;       /* (steps + 1) */
    const double *policy;      /* (POLICY) */
    const double *constants;   /* (blocks, CONSTANTS, STRIDE) */
    const double *opening;     /* (blocks, STOCKS, STRIDE) */
    const double *level;       /* (blocks, levels, STRIDE) */
    double *summaries;         /* (PASSAGES + 3 * levels, members) */
} Job;

/* What the allocation needs of the policy, worked out once a run. */
typedef struct {
    int pro_rata, ranks;
    struct { double in_class[3], weight[3], inverse[7]; int members; } rank[3];
} Rule;

static Rule rule_of(const double *policy, int only_what_is_there) {
    Rule rule = {.pro_rata = policy[PRO_RATA] > 0.5};
    EACH(rank) {
        int members = 0;
        double m[3], w[3];
        EACH(r) { m[r] = policy[PRIORITY + r] == rank ? 1.0 : 0.0; members += m[r] > 0.5; w[r] = m[r] * policy[WEIGHT + r]; }
        if (!members && only_what_is_there) continue;
        const double outside[7] = {w[0] + w[1] + w[2], w[1] + w[2], w[0] + w[2], w[0] + w[1], w[2], w[1], w[0]};
        EACH(r) { rule.rank[rule.ranks].in_class[r] = m[r]; rule.rank[rule.ranks].weight[r] = w[r]; }
        for (int a = 0; a < 7; a++) rule.rank[rule.ranks].inverse[a] = 1.0 / fmax(outside[a], TINY);
        rule.rank[rule.ranks++].members = members;
    }
    return rule;
}

INLINE void by_request(v given[3], const v b[3], v left) {
    const v part = least(all(1.0), left / most(b[0] + b[1] + b[2], all(TINY)));
    EACH(r) given[r] = b[r] * part;
}

INLINE void by_weight(v given[3], const v b[3], v left, const double weight[3], const double inverse[7]) {
    const v a = left - b[0], c = left - b[1], d = left - b[2];
    v level = most(all(0.0), left * inverse[0]);
    level = most(level, a * inverse[1]);
    level = most(level, c * inverse[2]);
    level = most(level, d * inverse[3]);
    level = most(level, (a - b[1]) * inverse[4]);
    level = most(level, (a - b[2]) * inverse[5]);
    level = most(level, (c - b[2]) * inverse[6]);
    EACH(r) given[r] = least(b[r], weight[r] * level);
}

/* How much of a policy the code may know: what is skipped then would have changed no bit. */
enum { ANY_RULE, ONE_CLASS_BY_REQUEST, ONE_CLASS_BY_WEIGHT, CLASSES };

INLINE void allocate(v granted[3], v left, const v asked[3], const Rule *rule, const int kind) {
    if (kind == ONE_CLASS_BY_REQUEST) { by_request(granted, asked, left); return; }
    if (kind == ONE_CLASS_BY_WEIGHT) { by_weight(granted, asked, left, rule->rank[0].weight, rule->rank[0].inverse); return; }
    EACH(r) granted[r] = all(0.0);
    const int ranks = kind == ANY_RULE ? 3 : rule->ranks;
    for (int k = 0; k < ranks; k++) {
        v b[3], request[3], weight[3];
        EACH(r) b[r] = rule->rank[k].in_class[r] * asked[r];
        if (kind == ANY_RULE) {
            by_request(request, b, left);
            by_weight(weight, b, left, rule->rank[k].weight, rule->rank[k].inverse);
            const mask m = below(all(0.5), all(rule->pro_rata));
            EACH(r) granted[r] = granted[r] + choose(m, request[r], weight[r]);
        } else {
            if (rule->pro_rata) by_request(request, b, left);
            else by_weight(request, b, left, rule->rank[k].weight, rule->rank[k].inverse);
            EACH(r) granted[r] = granted[r] + request[r];
        }
        left = most(left - (b[0] + b[1] + b[2]), all(0.0));
    }
}

/* The lowest stock and the passages of the levels, from the stock at all step edges; rows of `members` numbers at `summaries`.
 * From the end to the start, so that of several dates the first one stays. */
INLINE void look_back(double *summaries, long members, const v *path, long steps, const double *ahead, const double *level, const int levels) {
    v lowest = all(INFINITY), number = lowest, lowest_ahead = lowest, number_ahead = lowest;
    for (long n = steps; n >= 0; n--) {
        const mask lower = ~below(lowest, path[n]);
        number = choose(lower, all((double)n), number);
        lowest = least(path[n], lowest);
        if (ahead[n] > 0.5) {
            number_ahead = choose(lower, all((double)n), number_ahead);
            lowest_ahead = lowest;
        }
    }
    store(summaries + LOWEST * members, lowest);
    store(summaries + LOWEST_AT * members, number);
    store(summaries + AHEAD * members, lowest_ahead);
    store(summaries + AHEAD_AT * members, number_ahead);
    v first[MOST_LEVELS], back[MOST_LEVELS];
    whole count[MOST_LEVELS];
#pragma GCC unroll 8
    for (int i = 0; i < MOST_LEVELS; i++) {
        const mask under = below(path[steps], load(level + (i < levels ? i : 0) * STRIDE));
        first[i] = choose(under, all((double)steps), all(INFINITY));
        back[i] = choose(under, all(INFINITY), all((double)steps));
        count[i] = (whole)all(0.0);
    }
    for (long n = steps - 1; n >= 0; n--) {
        const v now = all((double)n);
        const mask before = below(now, number);
#pragma GCC unroll 8
        for (int i = 0; i < levels; i++) {
            const mask under = below(path[n], load(level + i * STRIDE));
            count[i] = counted(count[i], under);
            first[i] = choose(under, now, first[i]);
            back[i] = choose(under | before, back[i], now);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < levels; i++) {
        double *three = summaries + (PASSAGES + 3 * i) * members;
        store(three, first[i]);
        store(three + members, __builtin_convertvector(count[i], v));
        store(three + 2 * members, back[i]);
    }
}

/* What is the same for all members over a step. Shares: cut, set aside, hold, divert, by recipient; in force, and more while reviewed. */
typedef struct {
    uint32_t row[SERIES];   /* offsets [byte] */
    double history, since, now[12], more[12];
} Step;

/* One step of one vector of lanes. The ints are known when this is compiled. */
INLINE void step(v *s, v *out, const double *registers, const double *k, const Step *t, const Rule *rule, const double dt,
                 const int kind, const int reviewed, const int suspended, const int exact) {
#define S(name) s[name]
#define X(name) load((const double *)((const char *)registers + t->row[name]))
#define K(name) load(k + (name) * STRIDE)
#define STEP(start, x) (exact ? fused(all(dt), (x), (start)) : (start) + dt * (x))
/* A sum of a flow over the run, as stockpile/model/summaries.py takes it. */
#define ADD(name, x) out[name] = STEP(out[name], x)
#define SHARE_OF(i) (reviewed ? fused(z, all(t->more[i]), all(t->now[i])) : all(t->now[i]))
    /* The order is that of least registers: a recipient is finished before the next one is begun. */
    const v us = S(US);
    v z = all(0.0);
    if (reviewed) {
        z = choose(below(X(REVIEW_OFF), us), z, S(REVIEW));
        z = choose(below(us, X(REVIEW_ON)), all(1.0), z);
        S(REVIEW) = z;
    }
    const v own_need = X(OWN_NEED);
    const v own_use = least(own_need, us * K(ISSUE_RATE));
    const v free = most(us - X(FLOOR) - own_use * K(ISSUE_TIME), all(0.0));
    ADD(OWN_USE, own_use);
    ADD(OWN_UNMET, own_need - own_use);
    const v owed = suspended ? S(DEFERRED) + S(DEFERRED + 1) + S(DEFERRED + 2) : all(0.0);
    const v available = (suspended ? most(free - owed, all(0.0)) : free) * K(ISSUE_RATE);
    const v payable = suspended ? least(all(1.0), free / most(owed, all(TINY))) * K(CATCH_UP_RATE) : all(0.0);

    v asked[3], granted[3];
    EACH(r) {
        const v planned = X(PLANNED + r), authorised = X(AUTHORISED + r);
        const v position = suspended ? S(HAND + r) + S(WITHHELD + r) + S(DEFERRED + r) : S(HAND + r);
        const v wanted = most(planned + (K(COVER) * planned - position) * K(ORDER_RATE), all(0.0));
        v request;
        if (kind == ANY_RULE) request = t->history * authorised + t->since * least(wanted, authorised);
        else if (t->history == 0.0) request = least(wanted, authorised);
        else if (t->since == 0.0) request = authorised;
        else request = t->history * authorised + t->since * least(wanted, authorised);
        asked[r] = suspended ? request - request * SHARE_OF(r) : request;
    }
    allocate(granted, available, asked, rule, kind);

    const v loss = K(LOSS), delivered = least(X(LINE), S(BOOK) * K(LINE_RATE)), to_us = delivered * X(US_SHARE);
    S(BOOK) = STEP(S(BOOK), X(LOTS) - delivered);
    ADD(TO_US, to_us);
    v all_sent = all(0.0), all_diverted = all(0.0);
    EACH(r) {
        const v hand = S(HAND + r), made = delivered * X(SHARE + r);
        v sent = granted[r], kept = all(0.0), released = all(0.0), diverted = all(0.0);
        if (suspended) {
            const v cut = SHARE_OF(r), set_aside = SHARE_OF(3 + r), hold = SHARE_OF(6 + r);
            const v withheld = S(WITHHELD + r), deferred = S(DEFERRED + r);
            const v put_off = granted[r] * set_aside, paid = deferred * payable * (1.0 - cut) * (1.0 - set_aside);
            sent = granted[r] - put_off + paid;
            S(DEFERRED + r) = STEP(deferred, put_off - paid - deferred * loss);
            kept = made * hold;
            released = withheld * K(RELEASE_RATE) * (1.0 - hold);
            S(WITHHELD + r) = STEP(withheld, kept - released - withheld * loss);
            diverted = made * SHARE_OF(9 + r);
            all_diverted = r ? all_diverted + diverted : diverted;
        }
        all_sent = r ? all_sent + sent : sent;
        ADD(SENT + r, sent);
        const v received = suspended ? made - kept - diverted + released : made;
        ADD(RECEIVED + r, received);
        const v need = X(NEED + r), used = least(need, K(COMMIT) * hand);
        const v in = suspended ? sent + made - kept - diverted + released : sent + made;
        S(HAND + r) = STEP(hand, in + X(OTHER + r) - used - hand * loss);
        ADD(USED + r, used);
        ADD(UNMET + r, need - used);
    }
    S(US) = STEP(us, (suspended ? to_us + all_diverted : to_us) + X(US_INFLOW) - own_use - all_sent - us * loss);
}

INLINE void strip(const Job *job, long block, long lane, const Step *t, const Rule *rule, const int kind, const int reviewed, const int suspended,
                  const int exact, const int levels) {
    const double *registers = job->registers + block * job->rows * STRIDE + lane;
    const double *constants = job->constants + block * CONSTANTS * STRIDE + lane;
    const double *opening = job->opening + block * STOCKS * STRIDE + lane;
    const double *level = job->level + block * job->levels * STRIDE + lane;
    v s[STOCKS], out[PASSAGES], path[job->steps + 1];
    for (int i = 0; i < STOCKS; i++) s[i] = load(opening + i * STRIDE);
    for (int i = TO_US; i < PASSAGES; i++) out[i] = all(0.0);
    for (long n = 0; n < job->steps; n++, t++) {
        path[n] = s[US];
        step(s, out, registers, constants, t, rule, job->dt, kind, reviewed, suspended, exact);
    }
    path[job->steps] = s[US];
    double *summaries = job->summaries + block * LANES + lane;
    for (int i = TO_US; i < PASSAGES; i++) store(summaries + i * job->members, out[i]);
    look_back(summaries, job->members, path, job->steps, job->ahead, level, levels);
}

#define VARIANT(name, kind, reviewed, suspended, exact)                                                                   \
    static __attribute__((noinline)) void name(const Job *job, long block, const Step *t, const Rule *rule) {                          \
        for (long lane = 0; lane < LANES; lane += WIDTH) {                                                       \
            if (job->levels == 4) strip(job, block, lane, t, rule, kind, reviewed, suspended, exact, 4);                  \
            else if (job->levels == 5) strip(job, block, lane, t, rule, kind, reviewed, suspended, exact, 5);             \
            else strip(job, block, lane, t, rule, kind, reviewed, suspended, exact, job->levels);                         \
        }                                                                                                               \
    }
VARIANT(any, ANY_RULE, 1, 1, 0)
VARIANT(request, ONE_CLASS_BY_REQUEST, 1, 1, 1)
VARIANT(weight, ONE_CLASS_BY_WEIGHT, 1, 1, 1)
VARIANT(classes, CLASSES, 1, 1, 1)
VARIANT(request_dated, ONE_CLASS_BY_REQUEST, 0, 1, 1)
VARIANT(weight_dated, ONE_CLASS_BY_WEIGHT, 0, 1, 1)
VARIANT(classes_dated, CLASSES, 0, 1, 1)
VARIANT(request_none, ONE_CLASS_BY_REQUEST, 0, 0, 1)
VARIANT(weight_none, ONE_CLASS_BY_WEIGHT, 0, 0, 1)
VARIANT(classes_none, CLASSES, 0, 0, 1)

typedef void (*Block)(const Job *, long, const Step *, const Rule *);

static Step *steps_of(const Job *job) {
    Step *steps = malloc(job->steps * sizeof(Step));
    for (long n = 0; n < job->steps; n++) {
        const double *t = job->table + n * UNIFORM;
        Step *s = steps + n;
        for (int i = 0; i < SERIES; i++) s->row[i] = job->index[n * SERIES + i] * STRIDE * sizeof(double);
        s->history = t[HISTORY];
        s->since = 1.0 - t[HISTORY];
        for (int i = 0; i < 12; i++) { s->now[i] = t[CUT + i]; s->more[i] = t[REVIEW_CUT + i] - t[CUT + i]; }
    }
    return steps;
}

static int one_class(const double *policy) {
    return policy[PRIORITY] == 0.0 && policy[PRIORITY + 1] == 0.0 && policy[PRIORITY + 2] == 0.0;
}

/* Whether any suspension acts, dated (1) or by review (2); 0 where the stocks it moves stay at nought. */
static int suspension(const Job *job) {
    int found = 0;
    for (long n = 0; n < job->steps; n++)
        for (int i = 0; i < 12; i++) {
            const double *t = job->table + n * UNIFORM;
            if (t[REVIEW_CUT + i] != t[CUT + i]) return 2;
            if (t[CUT + i] != 0.0) found = 1;
        }
    for (long b = 0; b < job->blocks; b++)
        for (long i = WITHHELD * STRIDE; i < STOCKS * STRIDE; i++)
            if (job->opening[b * STOCKS * STRIDE + i] != 0.0) return i < REVIEW * STRIDE ? 1 : 2;
    return found;
}

/* Whether a product with dt is exact, so that fusing it with the sum after it rounds as the two do one by one. */
static int power_of_two(double dt) { int exponent; return frexp(dt, &exponent) == 0.5; }

/* knowing: 0 one code for any policy, free of branches; 1 the kind of allocation, history and dt are asked first; 2 what is suspended as well. */
static Block block_of(const Job *job, int knowing) {
    const int kind = !one_class(job->policy) ? 2 : job->policy[PRO_RATA] > 0.5 ? 0 : 1;
    static const Block with_review[3] = {request, weight, classes}, dated[3] = {request_dated, weight_dated, classes_dated},
                       none[3] = {request_none, weight_none, classes_none};
    if (knowing == 0 || !power_of_two(job->dt)) return any;
    if (knowing == 1) return with_review[kind];
    const int found = suspension(job);
    return found == 2 ? with_review[kind] : found == 1 ? dated[kind] : none[kind];
}

int width(void) { return WIDTH; }
int lanes(void) { return LANES; }
int stride(void) { return STRIDE; }

/* Runs every block of every job `repeats` times over: its registers are then in the second-level cache, as they are where they were
 * just written. Threads take whole blocks of whatever job. */
void run(const Job *jobs, long count, int threads, long repeats, int knowing) {
    struct { Block one; Rule rule; Step *steps; } *ready = malloc(count * sizeof *ready);
    long blocks = 0;
    for (long i = 0; i < count; i++) {
        ready[i].one = block_of(jobs + i, knowing);
        ready[i].rule = rule_of(jobs[i].policy, ready[i].one != any);
        ready[i].steps = steps_of(jobs + i);
        blocks += jobs[i].blocks;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (long n = 0; n < blocks; n++) {
        long i = 0, b = n;
        while (b >= jobs[i].blocks) b -= jobs[i++].blocks;
        for (long k = 0; k < repeats; k++) ready[i].one(jobs + i, b, ready[i].steps, &ready[i].rule);
    }
    for (long i = 0; i < count; i++) free(ready[i].steps);
    free(ready);
}
