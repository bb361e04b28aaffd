/* test_qnetwork.c: forward values, losses and three updates of the deep Q-network against the
 * golden numbers of DeeR, in double precision: three networks, every update rule, both generations
 * of the default network. */
#include "deer.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 4 };

extern const deer_algo_class deer_algo_dqn;

static json_t *golden;

static double number(json_t *object, const char *key) {
  return json_number_value(json_object_get(object, key));
}

static const char *text(json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static bool truth(json_t *object, const char *key) {
  return json_is_true(json_object_get(object, key));
}

/* most numbers agree to 1e-14; the golden ones are good to about 1e-7 (centred rule, mean loss) */
static void assert_near(double got, double expected) {
  if (fabs(got - expected) > 1e-7 * (1 + fabs(expected)))
    fail_msg("expected %.15g, got %.15g", expected, got);
}

/* ---- set-up of one case by the closed formulas of the golden file ---- */

static deer_space space_of(json_t *c) {
  deer_space space = {.actions = {.n = (int)number(c, "nA"), .size = 1}};
  json_t *row;
  size_t s;
  json_array_foreach(json_object_get(c, "dims"), s, row) {
    deer_subject *subject = &space.subjects[space.n_subjects++];
    subject->history = (int)json_integer_value(json_array_get(row, 0));
    subject->shape.rank = (int)json_array_size(row) - 1;
    for (int i = 0; i < subject->shape.rank; i++)
      subject->shape.dim[i] = (int)json_integer_value(json_array_get(row, (size_t)i + 1));
  }
  return space;
}

static deer_option real(const char *name, double x) {
  return (deer_option){name, {DEER_VALUE_NUMBER, x, NULL}};
}

static deer_option word(const char *name, const char *x) {
  return (deer_option){name, {DEER_VALUE_TEXT, 0, x}};
}

static deer_option flag(const char *name, bool x) {
  return (deer_option){name, {DEER_VALUE_BOOL, x, NULL}};
}

static deer_algo *make(json_t *c, const deer_space *space) {
  bool keras = strncmp(text(c, "flavour"), "keras", 5) == 0;
  deer_net_spec net;
  assert_int_equal(deer_net_default(keras ? "deer" : "deer-0.2", space, &net), DEER_OK);
  deer_option options[16];
  int n = 0;
  options[n++] = word("update_rule", text(c, "rule"));
  options[n++] = word("batch_accumulator", keras ? "mean_outputs" : text(c, "accumulator"));
  options[n++] = flag("double_q", truth(c, "double_Q"));
  options[n++] = real("batch_size", BATCH);
  options[n++] = real("learning_rate", number(c, "lr"));
  options[n++] = real("discount", number(c, "df"));
  options[n++] = real("rho", number(c, "rho"));
  options[n++] = real("rms_epsilon", number(c, "eps"));
  if (keras) options[n++] = real("clip_norm", number(c, "clip_norm_per_tensor"));
  if (keras) options[n++] = flag("epsilon_inside_sqrt", truth(c, "rmsprop_eps_inside_sqrt"));
  if (!keras) options[n++] = real("clip_delta", number(c, "clip_delta"));
  deer_rng rng = deer_rng_seed(1);
  deer_algo *algo = NULL;
  deer_status status = deer_algo_new(
      &deer_algo_dqn,
      &(deer_algo_config){
          .space = space, .net = &net, .options = options, .n_options = n, .rng = &rng},
      &algo);
  if (status != DEER_OK) fail_msg("%s", deer_error());
  return algo;
}

/* element i of parameter k is 0.3 sin(1.7 i + 0.9 k + 0.4), in both networks */
static void fill_parameter(void *context, const char *name, const deer_shape *shape,
                           deer_real *data) {
  int *k = context;
  if (strncmp(name, "target.", 7) == 0) return; /* copied at the first update */
  for (size_t i = 0; i < deer_shape_count(shape); i++)
    data[i] = 0.3 * sin(1.7 * (double)i + 0.9 * *k + 0.4);
  (*k)++;
}

typedef struct batch_memory {
  deer_batch batch;
  deer_real tm1[DEER_MAX_SUBJECTS][BATCH * 64], t[DEER_MAX_SUBJECTS][BATCH * 64];
  deer_real r_t[BATCH], continue_t[BATCH];
  int32_t a_tm1[BATCH];
} batch_memory;

static void fill_batch(batch_memory *m, const deer_space *space, bool ignore_terminals) {
  m->batch =
      (deer_batch){.size = BATCH, .a_tm1 = m->a_tm1, .r_t = m->r_t, .continue_t = m->continue_t};
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    size_t n = BATCH * (size_t)subject->history * deer_subject_count(subject);
    assert_true(n <= BATCH * 64);
    for (size_t i = 0; i < n; i++) {
      m->tm1[s][i] = cos(0.37 * (double)i + 0.5 * s);
      m->t[s][i] = cos(0.29 * (double)i + 0.5 * s + 1.0);
    }
    m->batch.obs_tm1[s] = m->tm1[s];
    m->batch.obs_t[s] = m->t[s];
  }
  for (int b = 0; b < BATCH; b++) {
    m->a_tm1[b] = b % space->actions.n;
    m->r_t[b] = 1.5 * sin(b + 1);
    m->continue_t[b] = b == 2 && !ignore_terminals ? 0 : 1;
  }
}

/* ---- comparison ---- */

static void check_values(deer_algo *algo, const batch_memory *m, json_t *rows) {
  for (int b = 0; b < BATCH; b++) {
    const void *state[DEER_MAX_SUBJECTS];
    for (int s = 0; s < algo->space.n_subjects; s++) {
      const deer_subject *subject = &algo->space.subjects[s];
      state[s] = m->tm1[s] + (size_t)b * (size_t)subject->history * deer_subject_count(subject);
    }
    deer_real q[8], best;
    double value;
    assert_int_equal(algo->kind->values(algo, state, q), DEER_OK);
    assert_int_equal(algo->kind->act(algo, state, &best, &value), DEER_OK);
    json_t *row = json_array_get(rows, (size_t)b);
    for (int a = 0; a < algo->space.actions.n; a++) {
      assert_near(q[a], json_number_value(json_array_get(row, (size_t)a)));
      assert_true(q[(int)best] >= q[a]);
    }
    assert_near(value, q[(int)best]);
  }
}

static void check_parameter(void *context, const char *name, const deer_shape *shape,
                            deer_real *data) {
  json_t **rows = context;
  if (strncmp(name, "target.", 7) == 0) return;
  json_t *row = json_array_get(*rows, 0);
  double sum = 0, square = 0;
  for (size_t i = 0; i < deer_shape_count(shape); i++) {
    sum += data[i];
    square += data[i] * data[i];
  }
  assert_near(sum, number(row, "sum"));
  assert_near(sqrt(square), number(row, "l2"));
  json_t *first = json_object_get(row, "first3");
  for (size_t i = 0; i < json_array_size(first); i++)
    assert_near(data[i], json_number_value(json_array_get(first, i)));
  json_array_remove(*rows, 0);
}

static void check_case(json_t *c) {
  deer_space space = space_of(c);
  deer_algo *algo = make(c, &space);
  int k = 0;
  algo->kind->visit(algo, &k, fill_parameter);
  batch_memory *m = calloc(1, sizeof *m);
  fill_batch(m, &space, truth(c, "terminals_ignored(v0.2)"));
  check_values(algo, m, json_object_get(c, "q_before"));
  json_t *update;
  size_t i;
  json_array_foreach(json_object_get(c, "three_updates_same_batch"), i, update) {
    double loss;
    deer_real losses[BATCH];
    assert_int_equal(algo->kind->train(algo, &m->batch, &loss, losses), DEER_OK);
    assert_near(loss, number(update, "sqrt_loss"));
    json_t *expected = json_object_get(update, "loss_ind");
    for (size_t b = 0; b < BATCH; b++)
      assert_near(losses[b], json_number_value(json_array_get(expected, b)));
  }
  check_values(algo, m, json_object_get(c, "q_after"));
  json_t *rows = json_deep_copy(json_object_get(c, "params_after"));
  algo->kind->visit(algo, &rows, check_parameter);
  assert_int_equal(json_array_size(rows), 0);
  json_decref(rows);
  free(m);
  deer_algo_free(algo);
}

static void every_golden_case(void **state) {
  (void)state;
  size_t blocks = deer_alloc_blocks();
  json_t *c, *cases = json_object_get(golden, "cases");
  size_t i;
  assert_int_equal(json_array_size(cases), 27);
  json_array_foreach(cases, i, c) {
    printf("%s, %s, %s\n", text(c, "env"), text(c, "rule"), text(c, "flavour"));
    check_case(c);
  }
  assert_int_equal(deer_alloc_blocks(), blocks);
}

/* the shapes of the default networks over frames */
static void frame_networks(void **state) {
  (void)state;
  static const char *const names[] = {"deer-0.2", "deer"};
  static const char *const keys[] = {"theano (4,84,84) nA=4 param shapes",
                                     "keras (4,84,84) nA=4 param shapes"};
  deer_space space = {.n_subjects = 1, .actions = {.n = 4, .size = 1}};
  space.subjects[0] = (deer_subject){4, DEER_SHAPE(84, 84), DEER_DTYPE_U8};
  for (int kind = 0; kind < 2; kind++) {
    deer_net_spec spec;
    deer_net *net;
    assert_int_equal(deer_net_default(names[kind], &space, &spec), DEER_OK);
    assert_int_equal(deer_net_new(&spec, &space, 4, &net), DEER_OK);
    json_t *shape, *shapes = json_object_get(json_object_get(golden, "frame_nets"), keys[kind]);
    size_t i;
    deer_net_slot slot;
    json_array_foreach(shapes, i, shape) {
      assert_true(deer_net_slot_at(net, (int)i, &slot));
      assert_int_equal(slot.shape.rank, json_array_size(shape));
      for (int d = 0; d < slot.shape.rank; d++)
        assert_int_equal(slot.shape.dim[d], json_integer_value(json_array_get(shape, (size_t)d)));
    }
    assert_false(deer_net_slot_at(net, (int)json_array_size(shapes), &slot));
    deer_net_free(net);
  }
}

int main(void) {
  json_error_t error;
  golden = json_load_file("tests/golden/qnetwork.json", 0, &error);
  if (!golden) return fprintf(stderr, "tests/golden/qnetwork.json: %s\n", error.text), 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_golden_case),
                                     cmocka_unit_test(frame_networks)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  json_decref(golden);
  return failed;
}
