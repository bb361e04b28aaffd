/* uniform.c: every sample that can be drawn is equally likely. Lin 1992; Mnih et al. 2015. */
#include "replay/internal.h"

/* a slot by drawing and rejecting; -1 when that takes longer than looking at all of them */
static int64_t draw_one(const deer_replay *r, deer_rng *rng) {
  int64_t slots = deer_replay_slots(r);
  for (int64_t tries = slots > 0 ? 100 + slots / 16 : 0; tries > 0; tries--) {
    int64_t index = (int64_t)deer_rng_below(rng, (uint64_t)slots);
    if (deer_replay_drawable(r, index)) return index;
  }
  return -1;
}

/* the same by counting, for memories in which hardly anything can be drawn; -1 when nothing can */
static int64_t draw_exactly(const deer_replay *r, deer_rng *rng) {
  int64_t slots = deer_replay_slots(r), n = 0;
  for (int64_t i = 0; i < slots; i++) n += deer_replay_drawable(r, i);
  if (n == 0) return -1;
  int64_t k = (int64_t)deer_rng_below(rng, (uint64_t)n);
  for (int64_t i = 0; i < slots; i++)
    if (deer_replay_drawable(r, i) && k-- == 0) return i;
  return -1;
}

static deer_status draw(deer_replay *self, deer_rng *rng, int n, int64_t *index) {
  for (int i = 0; i < n; i++) {
    int64_t found = draw_one(self, rng);
    if (found < 0) found = draw_exactly(self, rng);
    /* what can be drawn does not change on the way, so this is said before anything is written */
    if (found < 0) return deer_replay_nothing(self);
    index[i] = found;
  }
  return DEER_OK;
}

const deer_replay_class deer_replay_uniform = {.abi = DEER_REPLAY_ABI,
                                               .name = "uniform",
                                               .paper = "Lin 1992; Mnih et al. 2015",
                                               .help = "all samples are equally likely",
                                               .size = sizeof(struct deer_replay),
                                               .draw = draw};
