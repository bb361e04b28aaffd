/* deer.h: the whole public interface, in reading order. */
#ifndef DEER_H
#define DEER_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/base.h"
#include "base/field.h"
#include "base/file.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/mt19937.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/schedule.h"
#include "tensor/tensor.h"
#include "tensor/fill.h"
#include "tensor/blas.h"
#include "graph/graph.h"
#include "env/space.h"
#include "env/env.h"
#include "env/vec.h"
#include "env/wrapper.h"
#include "nn/normalizer.h"
#include "nn/nn.h"
#include "opt/opt.h"
#include "opt/natural.h"
#include "opt/kfac.h"
#include "rl/reward_scale.h"
#include "rl/rl.h"
#include "rl/distribution.h"
#include "replay/replay.h"
#include "algo/algo.h"
#include "agent/policy.h"
#include "agent/agent.h"
#include "agent/learner.h"
#include "io/font.h"
#include "io/canvas.h"
#include "io/csv.h"
#include "io/json.h"
#include "io/npy.h"
#include "io/png.h"
#include "io/video.h"
#include "io/safetensors.h"

#ifdef __cplusplus
}
#endif

#endif
