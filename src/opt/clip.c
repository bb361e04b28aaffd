/* clip.c: limits of gradients. */
#include "opt/opt.h"

deer_node deer_clip_norm(deer_graph *g, deer_node gradient, double limit) {
  deer_shape shape = deer_node_shape(g, gradient);
  deer_node norm = deer_sqrt(g, deer_sum(g, deer_square(g, gradient), DEER_ALL_AXES));
  deer_node bound = deer_constant(g, DEER_SCALAR, limit);
  deer_node factor = deer_div(g, bound, deer_max(g, norm, bound));
  return deer_mul(g, gradient, deer_expand(g, factor, shape, 0));
}

#define MOST_TENSORS 1024

/* every weight tensor's part of the gradient by itself */
static deer_node clip_tensors(deer_graph *g, deer_node gradient, const deer_net *net,
                              double limit) {
  deer_node parts[MOST_TENSORS];
  int offsets[MOST_TENSORS], n = 0, size = deer_node_shape(g, gradient).dim[0];
  for (int start = 0; start < size; start += deer_net_size(net)) {
    deer_net_slot slot;
    for (int i = 0; deer_net_slot_at(net, i, &slot); i++, n++) {
      if (n == MOST_TENSORS)
        return deer_graph_fail(g, "clip_norm: more than %d weight tensors", MOST_TENSORS);
      offsets[n] = start + slot.offset;
      parts[n] = deer_clip_norm(g, deer_view(g, gradient, offsets[n], slot.shape), limit);
    }
  }
  return deer_pack(g, parts, offsets, n, size);
}

deer_node deer_opt_clip(deer_graph *g, deer_node gradient, const deer_net *net,
                             const deer_clipping *limits) {
  if (limits->value > 0) gradient = deer_clip(g, gradient, -limits->value, limits->value);
  if (limits->tensor_norm > 0) gradient = clip_tensors(g, gradient, net, limits->tensor_norm);
  if (limits->global_norm > 0) gradient = deer_clip_norm(g, gradient, limits->global_norm);
  return gradient;
}
