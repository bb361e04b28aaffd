/* couple.c: neighbours of a chain that run as one. A link costs a call and a way through the first
 * cache for each block, more than its arithmetic; what optimisers and losses do comes in few
 * patterns, whose kernels are at the end of op/maps.def. */
#include "graph/compile.h"

/* an input, p or q of the link that is made: one of the first link, one of the second, or none */
#define FIRST(i)  (i)
#define SECOND(i) (3 + (i))
#define NO        6

/* Link `second` reads what link `first` makes as input `at`. */
typedef struct couple {
  int first, second, at, made;
  int in[3], pq[2];
} couple;

static const couple couples[] = {
    /* p x + y, p x + q y, p x + q y^2: moving means, momentum */
    {DEER_MAP_scale,
     DEER_MAP_add,
     0,
     DEER_MAP_scale_add,
     {FIRST(0), SECOND(1), NO},
     {FIRST(0), NO}},
    {DEER_MAP_scale,
     DEER_MAP_add,
     1,
     DEER_MAP_scale_add,
     {FIRST(0), SECOND(0), NO},
     {FIRST(0), NO}},
    {DEER_MAP_scale,
     DEER_MAP_scale_add,
     1,
     DEER_MAP_mix,
     {SECOND(0), FIRST(0), NO},
     {SECOND(0), FIRST(0)}},
    {DEER_MAP_square,
     DEER_MAP_mix,
     0,
     DEER_MAP_mix_square,
     {SECOND(1), FIRST(0), NO},
     {SECOND(1), SECOND(0)}},
    {DEER_MAP_square,
     DEER_MAP_mix,
     1,
     DEER_MAP_mix_square,
     {SECOND(0), FIRST(0), NO},
     {SECOND(0), SECOND(1)}},
    {DEER_MAP_scale,
     DEER_MAP_sub,
     1,
     DEER_MAP_sub_scale,
     {SECOND(0), FIRST(0), NO},
     {FIRST(0), NO}},
    /* products of two and what becomes of them */
    {DEER_MAP_mul, DEER_MAP_add, 0, DEER_MAP_mul_add, {SECOND(1), FIRST(0), FIRST(1)}, {NO, NO}},
    {DEER_MAP_mul, DEER_MAP_add, 1, DEER_MAP_mul_add, {SECOND(0), FIRST(0), FIRST(1)}, {NO, NO}},
    {DEER_MAP_mul, DEER_MAP_sub, 0, DEER_MAP_mul_sub, {SECOND(1), FIRST(0), FIRST(1)}, {NO, NO}},
    {DEER_MAP_mul, DEER_MAP_sub, 1, DEER_MAP_sub_mul, {SECOND(0), FIRST(0), FIRST(1)}, {NO, NO}},
    {DEER_MAP_mul, DEER_MAP_mul, 0, DEER_MAP_mul_mul, {SECOND(1), FIRST(0), FIRST(1)}, {NO, NO}},
    {DEER_MAP_mul, DEER_MAP_mul, 1, DEER_MAP_mul_mul, {SECOND(0), FIRST(0), FIRST(1)}, {NO, NO}},
    {DEER_MAP_mul, DEER_MAP_div, 0, DEER_MAP_mul_div, {SECOND(1), FIRST(0), FIRST(1)}, {NO, NO}},
    /* the divisor of Adam and RMSprop */
    {DEER_MAP_sqrt, DEER_MAP_add, 0, DEER_MAP_sqrt_add, {FIRST(0), SECOND(1), NO}, {NO, NO}},
    {DEER_MAP_sqrt, DEER_MAP_add, 1, DEER_MAP_sqrt_add, {FIRST(0), SECOND(0), NO}, {NO, NO}},
};

/* the link whose result is read by link k alone, once; or -1 */
static int made_for(const deer_chain *c, int k, int slot) {
  int made = -1, reads = 0;
  if (c->slots[slot].kind != DEER_SLOT_BLOCK) return -1;
  for (int j = 0; j < c->n_links; j++) {
    if (c->links[j].out == slot) made = j;
    for (int i = 0; i < c->links[j].n_in; i++) reads += c->links[j].in[i] == slot;
  }
  return reads == 1 && made < k ? made : -1;
}

/* does a link between the two overwrite what the first one reads? */
static bool is_overwritten(const deer_chain *c, int first, int second) {
  const deer_link *link = &c->links[first];
  for (int k = first + 1; k < second; k++) {
    if (c->links[k].out < 0) continue;
    const deer_slot *out = &c->slots[c->links[k].out];
    for (int i = 0; i < link->n_in; i++) {
      const deer_slot *in = &c->slots[link->in[i]];
      if (out->kind == DEER_SLOT_STREAM && in->kind == DEER_SLOT_STREAM && in->data == out->data)
        return true;
    }
  }
  return false;
}

static deer_link join(const couple *rule, const deer_link *first, const deer_link *second) {
  deer_link made = {.map = rule->made, .out = second->out};
  for (int i = 0; i < 3 && rule->in[i] != NO; i++) {
    const int from = rule->in[i];
    made.in[made.n_in++] = from < SECOND(0) ? first->in[from] : second->in[from - SECOND(0)];
  }
  for (int i = 0; i < 2 && rule->pq[i] != NO; i++) {
    const int from = rule->pq[i];
    made.pq[i] = from < SECOND(0) ? first->pq[from] : second->pq[from - SECOND(0)];
  }
  return made;
}

/* Takes in a link that link k alone reads, if there is a kernel for both. The one taken in reads
 * nothing and makes nothing from then on. */
static bool take_in(deer_chain *c, int k) {
  deer_link *second = &c->links[k];
  for (size_t r = 0; r < sizeof couples / sizeof *couples; r++) {
    const couple *rule = &couples[r];
    if (second->map != rule->second) continue;
    const int first = made_for(c, k, second->in[rule->at]);
    if (first < 0 || c->links[first].map != rule->first || is_overwritten(c, first, k)) continue;
    *second = join(rule, &c->links[first], second);
    c->links[first] = (deer_link){.out = -1};
    return true;
  }
  return false;
}

void deer_couple_links(deer_chain *c) {
  int kept = 0;
  for (int k = 0; k < c->n_links; k++)
    while (take_in(c, k)) continue;
  for (int k = 0; k < c->n_links; k++)
    if (c->links[k].out >= 0) c->links[kept++] = c->links[k];
  c->n_links = kept;
}
