/* couple.c: neighbours of a chain that run as one. A link costs a call and a way through the first
 * cache for each block, more than its arithmetic; what optimisers and losses do comes in few
 * patterns, whose kernels are at the end of op/maps.def. */
#include "graph/compile.h"

/* as which input the second link may read what the first one makes */
enum { INPUT_0 = 1, INPUT_1 = 2, EITHER = 3 };

/* an input of the link that is made: one of the first link, or the other one of the second; and
 * whose p or q becomes its p or q: that of the first link, or what the second one has for its other
 * input or for this one */
enum { NONE, FIRST_0, FIRST_1, OTHER };
enum { FIRST = 1, OF_OTHER, OF_THIS };

typedef struct couple {
  int first, second, as, made;
  int in[3], pq[2];
} couple;

static const couple couples[] = {
    /* p x + y, p x + q y, p x + q y^2: moving means, momentum */
    {DEER_MAP_scale, DEER_MAP_add, EITHER, DEER_MAP_scale_add, {FIRST_0, OTHER}, {FIRST}},
    {DEER_MAP_scale,
     DEER_MAP_scale_add,
     INPUT_1,
     DEER_MAP_mix,
     {OTHER, FIRST_0},
     {OF_OTHER, FIRST}},
    {DEER_MAP_square,
     DEER_MAP_mix,
     EITHER,
     DEER_MAP_mix_square,
     {OTHER, FIRST_0},
     {OF_OTHER, OF_THIS}},
    {DEER_MAP_scale, DEER_MAP_sub, INPUT_1, DEER_MAP_sub_scale, {OTHER, FIRST_0}, {FIRST}},
    /* products of two and what becomes of them */
    {DEER_MAP_mul, DEER_MAP_add, EITHER, DEER_MAP_mul_add, {OTHER, FIRST_0, FIRST_1}, {NONE}},
    {DEER_MAP_mul, DEER_MAP_sub, INPUT_0, DEER_MAP_mul_sub, {OTHER, FIRST_0, FIRST_1}, {NONE}},
    {DEER_MAP_mul, DEER_MAP_sub, INPUT_1, DEER_MAP_sub_mul, {OTHER, FIRST_0, FIRST_1}, {NONE}},
    {DEER_MAP_mul, DEER_MAP_mul, EITHER, DEER_MAP_mul_mul, {OTHER, FIRST_0, FIRST_1}, {NONE}},
    {DEER_MAP_mul, DEER_MAP_div, INPUT_0, DEER_MAP_mul_div, {OTHER, FIRST_0, FIRST_1}, {NONE}},
    /* the divisor of Adam and RMSprop */
    {DEER_MAP_sqrt, DEER_MAP_add, EITHER, DEER_MAP_sqrt_add, {FIRST_0, OTHER}, {NONE}},
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

/* `second` with `first`, whose result is its input `at`, taken in */
static deer_link join(const couple *rule, const deer_link *first, const deer_link *second, int at) {
  const int in[] = {
      [FIRST_0] = first->in[0], [FIRST_1] = first->in[1], [OTHER] = second->in[1 - at]};
  const double pq[] = {
      [FIRST] = first->pq[0], [OF_OTHER] = second->pq[1 - at], [OF_THIS] = second->pq[at]};
  deer_link made = {.map = rule->made, .out = second->out};
  for (int i = 0; i < 3 && rule->in[i] != NONE; i++) made.in[made.n_in++] = in[rule->in[i]];
  for (int i = 0; i < 2; i++) made.pq[i] = pq[rule->pq[i]];
  return made;
}

/* Takes in a link that link k alone reads, as input `at`, if there is a kernel for both. The one
 * taken in reads nothing and makes nothing from then on. */
static bool take_in(deer_chain *c, int k, int at) {
  deer_link *second = &c->links[k];
  const int first = at < second->n_in ? made_for(c, k, second->in[at]) : -1;
  if (first < 0 || is_overwritten(c, first, k)) return false;
  for (size_t r = 0; r < sizeof couples / sizeof *couples; r++) {
    const couple *rule = &couples[r];
    if (rule->first != c->links[first].map || rule->second != second->map ||
        !(rule->as & (at == 0 ? INPUT_0 : INPUT_1)))
      continue;
    *second = join(rule, &c->links[first], second, at);
    c->links[first] = (deer_link){.out = -1};
    return true;
  }
  return false;
}

void deer_couple_links(deer_chain *c) {
  int kept = 0;
  for (int k = 0; k < c->n_links; k++)
    while (take_in(c, k, 0) || take_in(c, k, 1)) continue;
  for (int k = 0; k < c->n_links; k++)
    if (c->links[k].out >= 0) c->links[kept++] = c->links[k];
  c->n_links = kept;
}
