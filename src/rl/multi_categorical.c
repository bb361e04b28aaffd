/* multi_categorical.c: several choices at once, each a categorical distribution over a part of the
 * logits. */
#include "rl/internal.h"

#define MOST_CHOICES 64

static bool fits(deer_graph *g, deer_node logits, const int *sizes, int n) {
  const deer_shape shape = deer_node_shape(g, logits);
  int sum = 0;
  for (int i = 0; i < n; i++) sum += sizes[i];
  if (n >= 1 && n <= MOST_CHOICES && shape.rank == 2 && shape.dim[1] == sum) return true;
  char text[DEER_SHAPE_TEXT];
  deer_graph_fail(g, "multi-categorical: %d choices of %d things in all do not fit logits %s", n,
                  sum, deer_shape_text(&shape, text));
  return false;
}

/* part i of the columns */
static deer_node part_of(deer_graph *g, deer_node x, const int *sizes, int i) {
  int start = 0;
  for (int k = 0; k < i; k++) start += sizes[k];
  return deer_slice(g, x, 1, start, sizes[i]);
}

static deer_node likeliest(deer_graph *g, deer_node logits, const int *sizes, int n) {
  deer_node parts[MOST_CHOICES];
  if (!fits(g, logits, sizes, n)) return DEER_NONE;
  for (int i = 0; i < n; i++) parts[i] = deer_categorical_mode(g, part_of(g, logits, sizes, i));
  return deer_stack(g, parts, n, 1);
}

deer_node deer_multi_categorical_sample(deer_graph *g, deer_node logits, deer_node noise,
                                        const int *sizes, int n) {
  return likeliest(g, deer_add(g, logits, noise), sizes, n);
}

deer_node deer_multi_categorical_mode(deer_graph *g, deer_node logits, const int *sizes, int n) {
  return likeliest(g, logits, sizes, n);
}

deer_node deer_multi_categorical_log_prob(deer_graph *g, deer_node logits, deer_node action,
                                          const int *sizes, int n) {
  deer_node sum = DEER_NONE;
  if (!fits(g, logits, sizes, n)) return DEER_NONE;
  const int batch = deer_node_shape(g, logits).dim[0];
  for (int i = 0; i < n; i++) {
    const deer_node chosen = deer_reshape(g, deer_slice(g, action, 1, i, 1), DEER_SHAPE(batch));
    const deer_node part = deer_categorical_log_prob(g, part_of(g, logits, sizes, i), chosen);
    sum = i ? deer_add(g, sum, part) : part;
  }
  return sum;
}

deer_node deer_multi_categorical_entropy(deer_graph *g, deer_node logits, const int *sizes, int n) {
  deer_node sum = DEER_NONE;
  if (!fits(g, logits, sizes, n)) return DEER_NONE;
  for (int i = 0; i < n; i++) {
    const deer_node part = deer_categorical_entropy(g, part_of(g, logits, sizes, i));
    sum = i ? deer_add(g, sum, part) : part;
  }
  return sum;
}

deer_node deer_multi_categorical_kl(deer_graph *g, deer_node logits_p, deer_node logits_q,
                                    const int *sizes, int n) {
  deer_node sum = DEER_NONE;
  if (!fits(g, logits_p, sizes, n) || !fits(g, logits_q, sizes, n)) return DEER_NONE;
  for (int i = 0; i < n; i++) {
    const deer_node part =
        deer_categorical_kl(g, part_of(g, logits_p, sizes, i), part_of(g, logits_q, sizes, i));
    sum = i ? deer_add(g, sum, part) : part;
  }
  return sum;
}
