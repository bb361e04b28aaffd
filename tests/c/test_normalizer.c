/* test_normalizer.c: running statistics of observations and returns, against two passes over all
 * the numbers. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N = 500 };

static deer_space make_space(void) {
  return (deer_space){
      .n_subjects = 2,
      .subjects = {{2, DEER_SHAPE(3), DEER_DTYPE_REAL}, {1, DEER_SHAPE(2), DEER_DTYPE_U8}},
      .actions = {.n = 2, .size = 1}};
}

/* a number around a million, a small one, one that never changes */
static void draw(deer_rng *rng, deer_real x[3]) {
  x[0] = (deer_real)(1e6 + 10 * deer_rng_normal(rng));
  x[1] = (deer_real)(1e-3 * deer_rng_normal(rng) - 5e-3);
  x[2] = 7;
}

static deer_normalizer *counted(int n, deer_real seen[][3]) {
  deer_normalizer *made;
  unsigned char bytes[2] = {1, 2};
  deer_space space = make_space();
  assert_int_equal(deer_normalizer_new(&space, &made), DEER_OK);
  for (int i = 0; i < n; i++) deer_normalizer_observe(made, (const void *[]){seen[i], bytes});
  return made;
}

/* what a network would see of two states whose rows are all `x` */
static void through(const deer_normalizer *normalizer, const deer_real x[3], deer_real y[3]) {
  deer_graph *g = deer_graph_new();
  deer_node in = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(2, 2, 3));
  deer_node out = deer_normalize(normalizer, g, 0, in);
  /* an action of a critic, and bytes */
  assert_int_equal(deer_normalize(normalizer, g, 1, in).id, in.id);
  assert_int_equal(deer_normalize(normalizer, g, 2, in).id, in.id);
  deer_program *program;
  assert_int_equal(deer_compile(g, &out, 1, &program), DEER_OK);
  deer_real *data = deer_program_data(program, in);
  for (int i = 0; i < 12; i++) data[i] = x[i % 3];
  deer_program_run(program);
  const deer_real *result = deer_program_data(program, out);
  for (int i = 0; i < 12; i++) assert_true(result[i] == result[i % 3]);
  memcpy(y, result, 3 * sizeof *y);
  deer_program_free(program);
  deer_graph_free(g);
}

static void observations(void **state) {
  (void)state;
  static deer_real seen[N][3];
  deer_rng rng = deer_rng_seed(1);
  double mean[3] = {0}, variance[3] = {0};
  for (int i = 0; i < N; i++) draw(&rng, seen[i]);
  for (int i = 0; i < N; i++)
    for (int k = 0; k < 3; k++) mean[k] += (double)seen[i][k] / N;
  for (int i = 0; i < N; i++)
    for (int k = 0; k < 3; k++) variance[k] += pow((double)seen[i][k] - mean[k], 2) / N;
  deer_normalizer *normalizer = counted(N, seen);
  const deer_real x[] = {1000012, -4e-3f, 7};
  deer_real y[3];
  /* nobody sees what is not published */
  through(normalizer, x, y);
  assert_true(y[0] == DEER_NORMALIZED_MOST && y[1] == x[1] && y[2] == x[2]);
  deer_normalizer_publish(normalizer);
  through(normalizer, x, y);
  for (int k = 0; k < 2; k++)
    assert_true(fabs((double)y[k] - ((double)x[k] - mean[k]) / sqrt(variance[k])) < 0.01);
  assert_true(y[2] == 0);
  /* what is far away is cut */
  through(normalizer, (const deer_real[]){2e6f, -1, 7}, y);
  assert_true(y[0] == DEER_NORMALIZED_MOST && y[1] == -DEER_NORMALIZED_MOST);
  deer_normalizer_free(normalizer);
}

/* one observation says nothing of how things vary */
static void one_observation(void **state) {
  (void)state;
  deer_real seen[1][3] = {{1, 2, 3}}, y[3];
  deer_normalizer *normalizer = counted(1, seen);
  deer_normalizer_publish(normalizer);
  through(normalizer, seen[0], y);
  assert_memory_equal(y, seen[0], sizeof y);
  deer_normalizer_free(normalizer);
}

/* ---- saving: what is visited of one goes into another ---- */

typedef struct copy {
  deer_real data[8][4];
  int n;
  bool write;
} copy;

static void visit(void *context, const char *name, const deer_shape *shape, deer_real *data) {
  copy *c = context;
  size_t n = deer_shape_count(shape);
  assert_true(strncmp(name, "normalizer.subject0.", 20) == 0 || strcmp(name, "reward_scale") == 0);
  assert_true(c->n < 8 && n <= 4);
  memcpy(c->write ? data : c->data[c->n], c->write ? c->data[c->n] : data, n * sizeof *data);
  c->n++;
}

static void observations_are_saved(void **state) {
  (void)state;
  static deer_real seen[N][3];
  deer_rng rng = deer_rng_seed(2);
  for (int i = 0; i < N; i++) draw(&rng, seen[i]), seen[i][0] -= 1e6f;
  deer_normalizer *one = counted(N / 2, seen), *other = counted(3, seen + 100);
  deer_normalizer_publish(one);
  const deer_real x[] = {3, -4e-3f, 8};
  deer_real y[3], z[3];
  /* once to read, once to write, once more so that it is seen */
  copy c = {.n = 0};
  deer_normalizer_visit(one, &c, visit);
  assert_int_equal(c.n, 3);
  c.n = 0, c.write = true;
  deer_normalizer_visit(other, &c, visit);
  deer_normalizer_visit(other, &(copy){.n = 0}, visit);
  through(one, x, y);
  through(other, x, z);
  assert_memory_equal(y, z, sizeof y);
  /* both go on alike */
  for (int i = N / 2; i < N; i++) {
    const void *observation[] = {seen[i], "ab"};
    deer_normalizer_observe(one, observation);
    deer_normalizer_observe(other, observation);
  }
  /* looking does not change what is counted but not yet published */
  deer_normalizer_visit(one, &(copy){.n = 0}, visit);
  deer_normalizer_publish(one);
  deer_normalizer_publish(other);
  through(one, x, y);
  through(other, x, z);
  for (int k = 0; k < 3; k++) assert_true(fabs((double)(y[k] - z[k])) < 1e-4);
  deer_normalizer *all = counted(N, seen);
  deer_normalizer_publish(all);
  through(all, x, z);
  assert_memory_equal(y, z, sizeof y);
  deer_normalizer_free(one);
  deer_normalizer_free(other);
  deer_normalizer_free(all);
}

/* a file may say anything */
static void saved_nonsense(void **state) {
  (void)state;
  deer_real seen[2][3] = {{1, 2, 3}, {2, 2, 4}}, y[3];
  deer_normalizer *normalizer = counted(2, seen);
  deer_normalizer_publish(normalizer);
  copy nonsense = {.write = true, .data = {{0, 0, 0}, {0, -1, NAN}, {-5}}};
  deer_normalizer_visit(normalizer, &nonsense, visit);
  deer_normalizer_visit(normalizer, &(copy){.n = 0}, visit);
  through(normalizer, (const deer_real[]){1, 2, 3}, y);
  assert_true(y[0] == 1 && y[1] == 2 && y[2] == 3);
  deer_normalizer_observe(normalizer, (const void *[]){seen[0], "ab"});
  deer_normalizer_publish(normalizer);
  deer_normalizer_free(normalizer);
}

/* ---- rewards ---- */

static void returns(void **state) {
  (void)state;
  deer_reward_scale *scale, *other;
  assert_int_equal(deer_reward_scale_new(&scale), DEER_OK);
  assert_int_equal(deer_reward_scale_new(&other), DEER_OK);
  static double all[3 * N];
  double running[3] = {0}, mean = 0, variance = 0;
  deer_rng rng = deer_rng_seed(3);
  for (int i = 0; i < 3 * N; i++) {
    int lane = i % 3;
    deer_reward_step step = {lane, 5 + deer_rng_normal(&rng), 0.9, i % 70 == 0};
    assert_int_equal(deer_reward_scale_count(scale, &step), DEER_OK);
    all[i] = running[lane] = 0.9 * running[lane] + step.reward;
    if (step.over) running[lane] = 0;
  }
  for (int i = 0; i < 3 * N; i++) mean += all[i] / (3 * N);
  for (int i = 0; i < 3 * N; i++) variance += pow(all[i] - mean, 2) / (3 * N);
  assert_true(deer_reward_scale_factor(scale) == 1);
  deer_reward_scale_publish(scale);
  assert_true(fabs(deer_reward_scale_factor(scale) * sqrt(variance) - 1) < 1e-5);
  copy c = {.n = 0};
  deer_reward_scale_visit(scale, &c, visit);
  c.n = 0, c.write = true;
  deer_reward_scale_visit(other, &c, visit);
  deer_reward_scale_visit(other, &(copy){.n = 0}, visit);
  assert_true(deer_reward_scale_factor(scale) == deer_reward_scale_factor(other));
  deer_reward_scale_publish(other);
  assert_true(fabs(deer_reward_scale_factor(other) / deer_reward_scale_factor(scale) - 1) < 1e-5);
  deer_reward_scale_free(scale);
  deer_reward_scale_free(other);
}

static void rewards_that_never_change(void **state) {
  (void)state;
  deer_reward_scale *scale;
  assert_int_equal(deer_reward_scale_new(&scale), DEER_OK);
  deer_reward_step step = {0, 0, 1, false};
  for (int i = 0; i < 10; i++) assert_int_equal(deer_reward_scale_count(scale, &step), DEER_OK);
  deer_reward_scale_publish(scale);
  assert_true(deer_reward_scale_factor(scale) == 1);
  deer_reward_scale_free(scale);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(observations),   cmocka_unit_test(one_observation),
      cmocka_unit_test(returns),        cmocka_unit_test(observations_are_saved),
      cmocka_unit_test(saved_nonsense), cmocka_unit_test(rewards_that_never_change)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
