/* test_env.c: life of environments and checks of spaces, observations and actions. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- spaces ---- */

static deer_space good_space(void) {
  return (deer_space){
      .n_subjects = 2,
      .subjects = {{4, DEER_SHAPE(2, 3), DEER_DTYPE_REAL}, {1, DEER_SHAPE(5), DEER_DTYPE_U8}},
      .actions = {.size = 2, .low = {-1, 0}, .high = {1, 0}}};
}

static void sizes_of_subjects(void **state) {
  (void)state;
  deer_space space = good_space();
  assert_int_equal(deer_space_check(&space), DEER_OK);
  assert_int_equal(deer_subject_count(&space.subjects[0]), 6);
  assert_int_equal(deer_subject_bytes(&space.subjects[0]), 6 * sizeof(deer_real));
  assert_int_equal(deer_subject_bytes(&space.subjects[1]), 5);
  deer_shape full = deer_subject_state(&space.subjects[0]);
  assert_true(deer_shape_equal(&full, &DEER_SHAPE(4, 2, 3)));
  deer_subject scalar = {.history = 7, .dtype = DEER_DTYPE_REAL};
  full = deer_subject_state(&scalar);
  assert_true(deer_shape_equal(&full, &DEER_SHAPE(7)));
  assert_int_equal(deer_subject_count(&scalar), 1);
}

static void refuse(const deer_space *space, const char *message) {
  assert_int_not_equal(deer_space_check(space), DEER_OK);
  assert_non_null(strstr(deer_error(), message));
}

static void wrong_spaces_are_named(void **state) {
  (void)state;
  deer_space s = good_space();
  s.n_subjects = 0;
  refuse(&s, "0 subjects (expected 1 to 16)");
  s = good_space();
  s.n_subjects = 17;
  refuse(&s, "17 subjects");
  s = good_space();
  s.subjects[1].history = 0;
  refuse(&s, "subject 1: the history is 0 (expected at least 1)");
  s = good_space();
  s.subjects[0].dtype = (deer_dtype)3;
  refuse(&s, "subject 0: stored as type 3");
  s = good_space();
  s.subjects[0].shape.rank = 5;
  refuse(&s, "subject 0: rank 5");
  s.subjects[0].shape.rank = -1;
  refuse(&s, "subject 0: rank -1");
  s = good_space();
  s.subjects[1].shape.dim[0] = 0;
  refuse(&s, "subject 1: ");
  s.subjects[1] = (deer_subject){1 << 20, DEER_SHAPE(1 << 20), DEER_DTYPE_U8};
  refuse(&s, "subject 1: ");
}

static void wrong_action_spaces_are_named(void **state) {
  (void)state;
  deer_space s = good_space();
  s.actions = (deer_action_space){.n = -2, .size = 1};
  refuse(&s, "actions: -2");
  s.actions = (deer_action_space){.n = 2, .size = 2};
  refuse(&s, "actions: 2 discrete actions of size 2 (expected 1 to 16777216 of size 1)");
  s.actions = (deer_action_space){.size = 0};
  refuse(&s, "actions: 0 numbers (expected 1 to 64)");
  s.actions = (deer_action_space){.size = 65};
  refuse(&s, "actions: 65 numbers");
  static const double wrong[][2] = {{1, 0},         {NAN, 1},      {0, NAN},
                                    {-INFINITY, 0}, {0, INFINITY}, {-1e308, 1e308}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    s.actions = (deer_action_space){.size = 2, .low = {0, wrong[i][0]}, .high = {1, wrong[i][1]}};
    refuse(&s, "actions: number 1: expected bounds low <= high, finite as ");
  }
  s.actions = (deer_action_space){.size = 2, .choices = {3}};
  refuse(&s, "actions: choice 1 is one of 0 (expected 1 to 16777216)");
  s.actions = (deer_action_space){.size = 65, .choices = {3}};
  refuse(&s, "actions: 65 numbers");
}

/* ---- actions and observations ---- */

static void actions_must_lie_in_their_space(void **state) {
  (void)state;
  deer_action_space discrete = {.n = 3, .size = 1};
  for (int a = 0; a < 3; a++)
    assert_int_equal(deer_action_check(&discrete, &(deer_real){(deer_real)a}), DEER_OK);
  static const double wrong[] = {3, -1, 0.5, NAN, INFINITY, -INFINITY, 1e30};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(deer_action_check(&discrete, &(deer_real){(deer_real)wrong[i]}), DEER_EINVAL);
  deer_action_check(&discrete, &(deer_real){7});
  assert_string_equal(deer_error(), "action 7 is not one of 0..2");

  deer_action_space box = {.size = 2, .low = {-0.1, -1}, .high = {0.1, 1}};
  deer_real action[] = {(deer_real)-0.1, 1};
  assert_int_equal(deer_action_check(&box, action), DEER_OK);
  action[1] = 1.5;
  assert_int_equal(deer_action_check(&box, action), DEER_EINVAL);
  assert_string_equal(deer_error(), "action: number 1 is 1.5 (expected -1 to 1)");
  action[1] = (deer_real)-NAN;
  assert_int_equal(deer_action_check(&box, action), DEER_EINVAL);
  assert_string_equal(deer_error(), "action: number 1 is nan (expected -1 to 1)");
  deer_action_check(&discrete, &action[1]);
  assert_string_equal(deer_error(), "action nan is not one of 0..2");
}

static void several_choices_are_an_action(void **state) {
  (void)state;
  deer_space space = good_space();
  space.actions = (deer_action_space){.size = 3, .choices = {3, 1, 2}};
  assert_int_equal(deer_space_check(&space), DEER_OK);
  assert_int_equal(deer_actions_kind(&space.actions), DEER_ACTIONS_MULTI_DISCRETE);
  deer_real action[] = {2, 0, 1};
  assert_int_equal(deer_action_check(&space.actions, action), DEER_OK);
  static const double wrong[] = {2, -1, 0.5, NAN};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    action[2] = (deer_real)wrong[i];
    assert_int_equal(deer_action_check(&space.actions, action), DEER_EINVAL);
  }
  action[2] = 2;
  deer_action_check(&space.actions, action);
  assert_string_equal(deer_error(), "action: number 2 is 2, not one of 0..1");

  /* random ones reach every combination equally often */
  int counts[6] = {0};
  deer_rng rng = deer_rng_seed(1);
  for (int i = 0; i < 6000; i++) {
    deer_random_action(&space.actions, &rng, action);
    assert_int_equal(deer_action_check(&space.actions, action), DEER_OK);
    counts[(int)(action[0] * 2 + action[2])]++;
  }
  for (int i = 0; i < 6; i++) assert_in_range(counts[i], 880, 1120);
}

static void observations_must_be_finite(void **state) {
  (void)state;
  deer_space space = good_space();
  deer_real numbers[24] = {0};
  uint8_t bytes[5] = {255, 255, 255, 255, 255};
  const void *data[] = {numbers, bytes};
  assert_int_equal(deer_observation_check(&space, data), DEER_OK);
  assert_int_equal(deer_state_check(&space, data), DEER_OK);
  /* the 6 numbers of one observation, the 24 of a state */
  numbers[6] = -(deer_real)NAN;
  assert_int_equal(deer_observation_check(&space, data), DEER_OK);
  assert_int_equal(deer_state_check(&space, data), DEER_EDATA);
  assert_string_equal(
      deer_error(),
      "subject 0 of the initial history is nan at element 6 (expected a finite number)");
  numbers[5] = -(deer_real)INFINITY;
  assert_int_equal(deer_observation_check(&space, data), DEER_EDATA);
  assert_string_equal(
      deer_error(), "subject 0 of the observation is -inf at element 5 (expected a finite number)");
}

/* ---- life ---- */

typedef struct walk {
  deer_env base;
  int64_t length;
  double slip;
  void *block;
} walk;

static int finished;
static deer_status init_status;

static deer_status walk_init(deer_env *self, const deer_rng *rng) {
  walk *w = (walk *)self;
  self->space = good_space();
  self->space.subjects[0].history = (int)w->length;
  w->slip = deer_rng_uniform(&(deer_rng){{rng->s[0], rng->s[1], rng->s[2], rng->s[3]}});
  w->block = deer_alloc(100);
  if (!w->block) return DEER_ENOMEM;
  return init_status == DEER_OK ? DEER_OK : deer_fail(init_status, "no");
}

static void walk_finish(deer_env *self) {
  finished++;
  deer_free(((walk *)self)->block);
}

static const deer_field walk_fields[] = {
    {"length", DEER_FIELD_INT, offsetof(walk, length), .fallback = 7, .min = 0, .max = 9}, {0}};
static const deer_env_class walk_class = {.abi = DEER_ENV_ABI,
                                          .name = "walk",
                                          .size = sizeof(walk),
                                          .fields = walk_fields,
                                          .init = walk_init,
                                          .finish = walk_finish};

static deer_status make(const char *name, double value, deer_env **env) {
  deer_rng rng = deer_rng_seed(1);
  deer_option option = {name, {.type = DEER_VALUE_NUMBER, .number = value}};
  return deer_env_new(&walk_class, &option, name ? 1 : 0, &rng, env);
}

static void environments_take_options(void **state) {
  (void)state;
  deer_env *env;
  assert_int_equal(make(NULL, 0, &env), DEER_OK);
  assert_int_equal(((walk *)env)->length, 7);
  deer_env_free(env);
  assert_int_equal(make("length", 5, &env), DEER_OK);
  assert_int_equal(env->space.subjects[0].history, 5);
  assert_ptr_equal(env->kind, &walk_class);
  deer_env_free(env);
  deer_env_free(NULL);
}

static void failed_environments_leave_nothing(void **state) {
  (void)state;
  size_t blocks = deer_alloc_blocks();
  deer_env *env = (deer_env *)&blocks;
  finished = 0;
  assert_int_equal(make("lenght", 5, &env), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "walk: "));
  assert_non_null(strstr(deer_error(), "length"));
  assert_null(env);
  assert_int_equal(make("length", 10, &env), DEER_EINVAL);
  /* a space that cannot be, an init that fails, no memory */
  assert_int_equal(make("length", 0, &env), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "walk: subject 0: the history is 0"));
  init_status = DEER_EIO;
  assert_int_equal(make(NULL, 0, &env), DEER_EIO);
  assert_string_equal(deer_error(), "no");
  init_status = DEER_OK;
  assert_int_equal(finished, 4);
  for (uint64_t n = 1; n <= 2; n++) {
    deer_alloc_fail_at(n);
    assert_int_equal(make(NULL, 0, &env), DEER_ENOMEM);
    assert_null(env);
  }
  deer_alloc_fail_at(0);
  assert_int_equal(deer_alloc_blocks(), blocks);
}

static void other_interfaces_are_refused(void **state) {
  (void)state;
  deer_env_class old = walk_class;
  old.abi = DEER_ENV_ABI + 1;
  deer_env *env;
  deer_rng rng = deer_rng_seed(1);
  assert_int_equal(deer_env_new(&old, NULL, 0, &rng, &env), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "made for version "));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes_of_subjects),
      cmocka_unit_test(wrong_spaces_are_named),
      cmocka_unit_test(wrong_action_spaces_are_named),
      cmocka_unit_test(actions_must_lie_in_their_space),
      cmocka_unit_test(several_choices_are_an_action),
      cmocka_unit_test(observations_must_be_finite),
      cmocka_unit_test(environments_take_options),
      cmocka_unit_test(failed_environments_leave_nothing),
      cmocka_unit_test(other_interfaces_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
