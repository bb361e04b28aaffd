/* sequence.c: samples that follow each other in one episode, for networks that remember and for
 * learning from several steps. */
#include "replay/internal.h"

/* do `length` samples of one episode begin with entry `at` of a lane, which can be drawn? */
static bool follows(const deer_replay *r, const deer_replay_lane *l, int64_t at, int length) {
  for (int i = 1; i < length; i++, at++) {
    uint8_t flags = r->flags[deer_replay_place_in(r, l, at)];
    if (flags & (DEER_SLOT_TERMINAL | DEER_SLOT_TRUNCATED)) return false;
    if (!deer_replay_has_outcome(r, l, at + 1)) return false;
  }
  return true;
}

static bool starts(const deer_replay *r, int64_t index, int length) {
  if (!deer_replay_drawable(r, index)) return false;
  int64_t at;
  const deer_replay_lane *l = deer_replay_find_lane(r, index, &at);
  return follows(r, l, at, length);
}

/* a start by drawing and rejecting; -1 when that takes longer than looking at all of them */
static int64_t draw_one(const deer_replay *r, deer_rng *rng, int length) {
  int64_t slots = deer_replay_slots(r);
  for (int64_t tries = slots > 0 ? 100 + slots / 16 : 0; tries > 0; tries--) {
    int64_t index = (int64_t)deer_rng_below(rng, (uint64_t)slots);
    if (starts(r, index, length)) return index;
  }
  return -1;
}

/* the same by counting, for memories in which hardly anything can be drawn; -1 when nothing can */
static int64_t draw_exactly(const deer_replay *r, deer_rng *rng, int length) {
  int64_t slots = deer_replay_slots(r), n = 0;
  for (int64_t i = 0; i < slots; i++) n += starts(r, i, length);
  if (n == 0) return -1;
  int64_t k = (int64_t)deer_rng_below(rng, (uint64_t)n);
  for (int64_t i = 0; i < slots; i++)
    if (starts(r, i, length) && k-- == 0) return i;
  return -1;
}

deer_status deer_replay_draw_starts(const deer_replay *r, deer_rng *rng, int length, int n,
                                    int64_t *index) {
  for (int i = 0; i < n; i++) {
    int64_t found = draw_one(r, rng, length);
    if (found < 0) found = draw_exactly(r, rng, length);
    /* what can be drawn does not change on the way, so this is said before anything is written */
    if (found < 0) return deer_replay_nothing(r);
    index[i] = found;
  }
  return DEER_OK;
}

deer_status deer_replay_sequences(deer_replay *r, deer_rng *rng, int length, deer_batch *batch) {
  if (length < 1)
    return deer_fail(DEER_EINVAL, "sequences of %d samples (expected at least 1)", length);
  for (int i = 0; i < batch->size; i++) {
    int64_t start = -1, few, *index = batch->index;
    if (index) index += (size_t)i * (size_t)length;
    deer_status status = deer_replay_draw_starts(r, rng, length, 1, &start);
    if (status == DEER_EAGAIN && length > 1)
      return deer_fail(status, "no sequence of %d samples of one episode can be drawn", length);
    DEER_TRY(status);
    for (int t = 0; t < length; t++) {
      int row = i * length + t;
      *(index ? &index[t] : &few) = start + (int64_t)t * r->lanes;
      deer_replay_gather_rows(r, index ? &index[t] : &few, 1, row, batch);
      if (batch->weight) batch->weight[row] = 1;
    }
  }
  return DEER_OK;
}
