/* test_wrapper.c: wrappers, one by one and stacked, around an environment that counts. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* observes how many steps it has done, as a number and as a byte; earns three times that, but less
 * in odd steps; is over after ten */
typedef struct counting {
  deer_env base;
  deer_real action[2]; /* the last */
} counting;

static deer_status init(deer_env *self, const deer_rng *rng) {
  (void)rng;
  self->space = (deer_space){
      .n_subjects = 2,
      .subjects = {{2, DEER_SHAPE(1), DEER_DTYPE_REAL}, {1, DEER_SHAPE(1), DEER_DTYPE_U8}},
      .actions = {.size = 2, .low = {2, -0.1}, .high = {6, 0.3}}};
  self->picture_width = 7, self->picture_height = 5, self->picture_rate = 30;
  return DEER_OK;
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  (void)self;
  deer_real *h = history[0];
  h[0] = -2 - (deer_real)mode, h[1] = -40;
  return DEER_OK;
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  assert_int_equal(deer_action_check(&self->space.actions, action), DEER_OK);
  memcpy(((counting *)self)->action, action, sizeof((counting *)self)->action);
  *reward = self->steps % 2 ? -3 * (double)self->steps : 3 * (double)self->steps;
  return DEER_OK;
}

static deer_status observe(deer_env *self, void *const *observation) {
  *(deer_real *)observation[0] = (deer_real)(20 * self->steps);
  *(unsigned char *)observation[1] = (unsigned char)(100 + self->steps);
  return DEER_OK;
}

static deer_status ending(deer_env *self, deer_ending *e) {
  *e = self->steps >= 10 ? DEER_TERMINATED : DEER_RUNNING;
  return DEER_OK;
}

static const deer_env_class counting_class = {.abi = DEER_ENV_ABI,
                                              .name = "counting",
                                              .help = "counts",
                                              .size = sizeof(counting),
                                              .init = init,
                                              .reset = reset,
                                              .act = act,
                                              .observe = observe,
                                              .ending = ending};

static deer_env *make(void) {
  deer_env *env;
  deer_rng rng = deer_rng_seed(1);
  assert_int_equal(deer_env_new(&counting_class, NULL, 0, &rng, &env), DEER_OK);
  return env;
}

static deer_env *wrap(const char *name, const char *option, double number, deer_env *inner) {
  deer_env *env;
  bool flag = option && strcmp(option, "sign") == 0;
  deer_option options[] = {{option, {flag ? DEER_VALUE_BOOL : DEER_VALUE_NUMBER, number, NULL}}};
  deer_status status = deer_wrapper_new(deer_wrapper_find(name), options, !!option, inner, &env);
  assert_int_equal(status, DEER_OK);
  return env;
}

static const deer_real middle[] = {4, 0.1f};

static double step(deer_env *env, deer_ending *e) {
  double reward;
  assert_int_equal(deer_env_act(env, middle, &reward), DEER_OK);
  assert_int_equal(deer_env_ending(env, e), DEER_OK);
  return reward;
}

static void start(deer_env *env, deer_real *numbers) {
  unsigned char bytes[64] = {0};
  void *history[] = {numbers, bytes};
  assert_int_equal(deer_env_reset(env, -1, history), DEER_OK);
}

static deer_real number(deer_env *env) {
  deer_real x;
  unsigned char byte;
  void *observation[] = {&x, &byte};
  assert_int_equal(env->kind->observe(env, observation), DEER_OK);
  /* bytes pass through whatever is around */
  assert_int_equal(byte, 100 + deer_env_innermost(env)->steps);
  return x;
}

static void free_all(deer_env *env) {
  deer_env *innermost = deer_env_innermost(env);
  while (env != innermost) {
    deer_env *inner = ((deer_wrapper *)env)->inner;
    deer_env_free(env);
    env = inner;
  }
  deer_env_free(innermost);
}

static void time_limit(void **state) {
  (void)state;
  deer_env *env = wrap("time_limit", "max_steps", 4, make());
  deer_real h[2];
  deer_ending e;
  for (int episode = 0; episode < 2; episode++) {
    start(env, h);
    for (int t = 1; t <= 4; t++) {
      step(env, &e);
      assert_int_equal(e, t < 4 ? DEER_RUNNING : DEER_TRUNCATED);
    }
  }
  free_all(env);
  /* a terminal state at the very step of the limit is terminal */
  env = wrap("time_limit", "max_steps", 10, make());
  start(env, h);
  for (int t = 1; t <= 10; t++) step(env, &e);
  assert_int_equal(e, DEER_TERMINATED);
  free_all(env);
}

static void action_repeat(void **state) {
  (void)state;
  deer_env *env = wrap("action_repeat", "repeats", 4, make());
  deer_real h[2];
  deer_ending e;
  start(env, h);
  assert_true(step(env, &e) == 3 * (-1 + 2 - 3 + 4) && e == DEER_RUNNING);
  assert_true(number(env) == 80);
  step(env, &e);
  /* the last two steps of the episode, and none after its end */
  assert_true(step(env, &e) == 3 * (-9 + 10) && e == DEER_TERMINATED);
  assert_true(number(env) == 200);
  free_all(env);
}

static void rewards(void **state) {
  (void)state;
  deer_env *env = wrap("clip_reward", "high", 5, make());
  deer_real h[2];
  deer_ending e;
  start(env, h);
  assert_true(step(env, &e) == -1);
  assert_true(step(env, &e) == 5);
  free_all(env);
  env = wrap("clip_reward", "sign", 1, make());
  start(env, h);
  assert_true(step(env, &e) == -1);
  assert_true(step(env, &e) == 1);
  free_all(env);
  /* clipped, then scaled */
  env = wrap("scale_reward", "factor", 0.5, wrap("clip_reward", "low", -2, make()));
  start(env, h);
  assert_true(step(env, &e) == -1);
  assert_true(step(env, &e) == 0.5);
  free_all(env);
  env = wrap("scale_reward", "shift", 7, make());
  start(env, h);
  assert_true(step(env, &e) == 4);
  free_all(env);
}

static void scale_action(void **state) {
  (void)state;
  deer_env *inner = make(), *env = wrap("scale_action", NULL, 0, inner);
  const deer_action_space *box = &env->space.actions;
  assert_true(box->low[1] == -1 && box->high[1] == 1 && box->size == 2 && box->n == 0);
  const deer_real given[3][2] = {{-1, -1}, {1, 1}, {0.5f, 0}};
  const double wanted[3][2] = {{2, -0.1}, {6, 0.3}, {5, 0.1}};
  deer_real h[2];
  start(env, h);
  for (int i = 0; i < 3; i++) {
    double reward;
    assert_int_equal(deer_env_act(env, given[i], &reward), DEER_OK);
    for (int k = 0; k < 2; k++)
      assert_true(fabs((double)((counting *)inner)->action[k] - wanted[i][k]) < 1e-6);
  }
  free_all(env);
}

static void clip_observation(void **state) {
  (void)state;
  deer_env *env = wrap("clip_observation", "bound", 30, make());
  deer_real h[2];
  deer_ending e;
  start(env, h);
  assert_true(h[0] == -1 && h[1] == -30);
  step(env, &e);
  assert_true(number(env) == 20);
  step(env, &e);
  assert_true(number(env) == 30);
  free_all(env);
}

static void frame_stack(void **state) {
  (void)state;
  deer_env *env = wrap("frame_stack", "frames", 3, make());
  assert_int_equal(env->space.subjects[0].history, 6);
  assert_int_equal(env->space.subjects[1].history, 3);
  deer_real h[6] = {0};
  start(env, h);
  const deer_real expected[] = {0, 0, 0, 0, -1, -40};
  assert_memory_equal(h, expected, sizeof h);
  free_all(env);
}

/* a limit inside counts the steps there, a limit outside those that are seen */
static void the_order_counts(void **state) {
  (void)state;
  deer_env *inside =
      wrap("action_repeat", "repeats", 3, wrap("time_limit", "max_steps", 4, make()));
  deer_env *outside =
      wrap("time_limit", "max_steps", 2, wrap("action_repeat", "repeats", 3, make()));
  deer_real h[2];
  deer_ending e;
  start(inside, h);
  start(outside, h);
  step(inside, &e);
  assert_int_equal(e, DEER_RUNNING);
  assert_true(step(inside, &e) == 12 && e == DEER_TRUNCATED);
  step(outside, &e);
  assert_int_equal(e, DEER_RUNNING);
  assert_true(step(outside, &e) == 3 * (4 - 5 + 6) && e == DEER_TRUNCATED);
  assert_int_equal(inside->picture_width, 7);
  assert_int_equal(inside->picture_rate, 30);
  free_all(inside);
  free_all(outside);
}

static void refused(const char *name, const char *option, double number, deer_env *inner,
                    const char *message) {
  deer_env *env = inner;
  deer_option options[] = {{option, {DEER_VALUE_NUMBER, number, NULL}}};
  const deer_env_class *kind = deer_wrapper_find(name);
  assert_int_not_equal(deer_wrapper_new(kind, options, !!option, inner, &env), DEER_OK);
  assert_null(env);
  assert_non_null(strstr(deer_error(), message));
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  deer_env *env = make();
  refused("time_limit", "max_steps", 0, env, "time_limit: ");
  refused("time_limit", "max_step", 1, env, "max_steps");
  refused("clip_reward", "low", 2, env, "clip_reward: low is 2 and high 1");
  refused("frame_stack", "frames", 2000, env, "frames");
  refused("clip_observation", "bound", -1, env, "bound");
  deer_env_free(env);
  deer_rng rng = deer_rng_seed(1);
  assert_int_equal(deer_env_new(deer_env_find("cartpole"), NULL, 0, &rng, &env), DEER_OK);
  refused("scale_action", NULL, 0, env, "scale_action scales continuous actions");
  deer_env_free(env);
  assert_null(deer_wrapper_find("cartpole"));
  for (int i = 0; deer_wrapper_at(i); i++)
    assert_ptr_equal(deer_wrapper_find(deer_wrapper_at(i)->name), deer_wrapper_at(i));
}

/* a render of the inner environment, and its refusal */
static void pictures(void **state) {
  (void)state;
  deer_env *env = wrap("time_limit", NULL, 0, make());
  assert_int_equal(env->kind->render(env, NULL), DEER_ESTATE);
  assert_string_equal(deer_error(), "counting draws no pictures");
  free_all(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(time_limit),       cmocka_unit_test(action_repeat),
      cmocka_unit_test(rewards),          cmocka_unit_test(scale_action),
      cmocka_unit_test(clip_observation), cmocka_unit_test(frame_stack),
      cmocka_unit_test(the_order_counts), cmocka_unit_test(what_cannot_be_is_refused),
      cmocka_unit_test(pictures)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
