/* uniform.c: every sample that can be drawn is equally likely. Lin 1992; Mnih et al. 2015. */
#include "replay/internal.h"

static deer_status draw(deer_replay *self, deer_rng *rng, int n, int64_t *index) {
  return deer_replay_draw_starts(self, rng, 1, n, index);
}

const deer_replay_class deer_replay_uniform = {.abi = DEER_REPLAY_ABI,
                                               .name = "uniform",
                                               .paper = "Lin 1992; Mnih et al. 2015",
                                               .help = "all samples are equally likely",
                                               .size = sizeof(struct deer_replay),
                                               .draw = draw};
