/* normalizer.c: running means and deviations, and how a network sees through them. */
#include "nn/normalizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct part {
  int n;                         /* numbers of one observation; 0 for bytes */
  double count, *mean, *squares; /* squares are summed, of the distances from the mean */

  /* what is published: n means, n deviations, the count; as it was then, to see whether somebody
   * wrote there; and what to multiply by */
  deer_real *shown, *published, *factor;
} part;

struct deer_normalizer {
  int n_subjects;
  part parts[DEER_MAX_SUBJECTS];
};

/* ---- life ---- */

static size_t shown_size(const part *p) { return 2 * (size_t)p->n + 1; }

static void show(part *p) {
  /* a number that has never changed is only shifted */
  for (int i = 0; i < p->n; i++) {
    deer_real deviation = p->shown[p->n + i];
    p->factor[i] = deviation > 0 ? 1 / deviation : 1;
  }
  memcpy(p->published, p->shown, shown_size(p) * sizeof *p->shown);
}

static deer_status make_part(const deer_subject *subject, part *p) {
  if (subject->dtype != DEER_DTYPE_REAL) return DEER_OK;
  p->n = (int)deer_subject_count(subject);
  size_t n = (size_t)p->n, size = shown_size(p);
  p->mean = deer_alloc_array(2 * n, sizeof *p->mean);
  p->shown = deer_alloc_array(2 * size + n, sizeof *p->shown);
  if (!p->mean || !p->shown) return DEER_ENOMEM;
  p->squares = p->mean + n;
  p->published = p->shown + size;
  p->factor = p->published + size;
  show(p);
  return DEER_OK;
}

deer_status deer_normalizer_new(const deer_space *space, deer_normalizer **normalizer) {
  *normalizer = NULL;
  deer_normalizer *made = deer_alloc(sizeof *made);
  if (!made) return DEER_ENOMEM;
  made->n_subjects = space->n_subjects;
  for (int s = 0; s < space->n_subjects; s++) {
    if (make_part(&space->subjects[s], &made->parts[s]) == DEER_OK) continue;
    deer_normalizer_free(made);
    return DEER_ENOMEM;
  }
  *normalizer = made;
  return DEER_OK;
}

void deer_normalizer_free(deer_normalizer *normalizer) {
  if (!normalizer) return;
  for (int s = 0; s < DEER_MAX_SUBJECTS; s++) {
    deer_free(normalizer->parts[s].mean);
    deer_free(normalizer->parts[s].shown);
  }
  deer_free(normalizer);
}

/* ---- counting ---- */

void deer_normalizer_observe(deer_normalizer *normalizer, const void *const *observation) {
  for (int s = 0; s < normalizer->n_subjects; s++) {
    part *p = &normalizer->parts[s];
    const deer_real *x = observation[s];
    if (p->n == 0) continue;
    p->count++;
    for (int i = 0; i < p->n; i++) {
      double before = (double)x[i] - p->mean[i];
      p->mean[i] += before / p->count;
      p->squares[i] += before * ((double)x[i] - p->mean[i]);
    }
  }
}

static double deviation(const part *p, int i) {
  double variance = p->squares[i] / p->count;
  return variance > 1e-12 ? sqrt(variance) : 0;
}

void deer_normalizer_publish(deer_normalizer *normalizer) {
  for (int s = 0; s < normalizer->n_subjects; s++) {
    part *p = &normalizer->parts[s];
    if (p->count < 2) continue;
    for (int i = 0; i < p->n; i++) {
      p->shown[i] = (deer_real)p->mean[i];
      p->shown[p->n + i] = (deer_real)deviation(p, i);
    }
    p->shown[2 * p->n] = (deer_real)p->count;
    show(p);
  }
}

/* ---- use ---- */

deer_node deer_normalize(const deer_normalizer *normalizer, deer_graph *g, int subject,
                         deer_node x) {
  if (subject >= normalizer->n_subjects || normalizer->parts[subject].n == 0 || !x.id) return x;
  const part *p = &normalizer->parts[subject];
  const deer_shape shape = deer_node_shape(g, x);
  const deer_shape rows = DEER_SHAPE((int)(deer_shape_count(&shape) / (size_t)p->n), p->n);
  deer_node mean = deer_variable(g, "mean", p->shown, p->n);
  deer_node factor = deer_variable(g, "one by deviation", p->factor, p->n);
  deer_node y = deer_sub(g, deer_reshape(g, x, rows), deer_expand(g, mean, rows, DEER_AXIS(1)));
  y = deer_mul(g, y, deer_expand(g, factor, rows, DEER_AXIS(1)));
  return deer_reshape(g, deer_clip(g, y, -DEER_NORMALIZED_MOST, DEER_NORMALIZED_MOST), shape);
}

/* ---- files ---- */

/* what somebody wrote is what is counted on from; a deviation that cannot be counts as none */
static void take_over(part *p) {
  if (memcmp(p->shown, p->published, shown_size(p) * sizeof *p->shown) == 0) return;
  deer_real count = p->shown[2 * p->n];
  p->count = count >= 0 && count < (deer_real)1e15 ? (double)count : 0;
  for (int i = 0; i < p->n; i++) {
    deer_real *deviation_of = &p->shown[p->n + i];
    if (!(*deviation_of > 0)) *deviation_of = 0;
    p->mean[i] = (double)p->shown[i];
    p->squares[i] = (double)*deviation_of * (double)*deviation_of * p->count;
  }
  show(p);
}

void deer_normalizer_visit(deer_normalizer *normalizer, void *context,
                           void (*visit)(void *context, const char *name, const deer_shape *shape,
                                         deer_real *data)) {
  char name[64];
  for (int s = 0; s < normalizer->n_subjects; s++) {
    part *p = &normalizer->parts[s];
    if (p->n == 0) continue;
    take_over(p);
    snprintf(name, sizeof name, "normalizer.subject%d.mean", s);
    visit(context, name, &DEER_SHAPE(p->n), p->shown);
    snprintf(name, sizeof name, "normalizer.subject%d.deviation", s);
    visit(context, name, &DEER_SHAPE(p->n), p->shown + p->n);
    snprintf(name, sizeof name, "normalizer.subject%d.count", s);
    visit(context, name, &DEER_SHAPE(1), p->shown + 2 * p->n);
  }
}
