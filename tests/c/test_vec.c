/* test_vec.c: environments in step: the same numbers as one by one and for any number of threads,
 * endings of both kinds, failures on any thread. */
#include "counter_env.h"

enum { MOST = 200 };

static deer_env *envs[MOST];
static int n_envs;

static void make(const deer_env_class *kind, int n, double work) {
  for (n_envs = 0; n_envs < n; n_envs++) {
    deer_rng rng = deer_rng_seed((uint64_t)n_envs);
    deer_option options[] = {number("number", n_envs), number("limit", 3 + n_envs % 5),
                             number("work", work)};
    int given = kind == &counter_class ? 3 : 0;
    if (deer_env_new(kind, options, given, &rng, &envs[n_envs]) != DEER_OK)
      fail_msg("%s", deer_error());
  }
}

static void unmake(deer_vec_env *vec) {
  deer_vec_env_free(vec);
  while (n_envs > 0) deer_env_free(envs[--n_envs]);
}

static deer_vec_env *vec_new(const int *group) {
  deer_vec_env *vec;
  if (deer_vec_env_new(envs, n_envs, group, &vec) != DEER_OK) fail_msg("%s", deer_error());
  return vec;
}

/* actions drawn from a stream */
static void draw(deer_vec_env *vec, deer_rng *rng, deer_real *actions) {
  for (int i = 0; i < vec->n; i++)
    deer_random_action(&vec->space->actions, rng, actions + i * vec->space->actions.size);
}

static deer_status step(deer_vec_env *vec, deer_rng *rng) {
  deer_real actions[MOST];
  draw(vec, rng, actions);
  return deer_vec_step(vec, actions);
}

/* ---- the same as one by one ---- */

/* the plain loop of one environment beside row i */
static void check_row(const deer_vec_env *vec, int i, deer_env *env, deer_real action) {
  deer_real history[8], shown[8];
  uint8_t byte_history[8], byte[8];
  void *histories[] = {history, byte_history}, *into[] = {shown, byte};
  size_t bytes[2], held[2];
  for (int s = 0; s < vec->space->n_subjects; s++) {
    bytes[s] = deer_subject_bytes(&vec->space->subjects[s]);
    held[s] = bytes[s] * (size_t)vec->space->subjects[s].history;
  }
  double reward;
  deer_ending how;
  assert_int_equal(deer_env_act(env, &action, &reward), DEER_OK);
  assert_int_equal(deer_env_ending(env, &how), DEER_OK);
  assert_true(vec->reward[i] == reward);
  assert_int_equal(vec->ending[i], how);
  assert_int_equal(env->kind->observe(env, into), DEER_OK);
  for (int s = 0; s < vec->space->n_subjects && how == DEER_TRUNCATED; s++)
    assert_memory_equal((char *)vec->final_observation[s] + (size_t)i * bytes[s], into[s],
                        bytes[s]);
  if (how != DEER_RUNNING) {
    memset(history, 0, sizeof history);
    memset(byte_history, 0, sizeof byte_history);
    assert_int_equal(deer_env_reset(env, -1, histories), DEER_OK);
    assert_int_equal(env->kind->observe(env, into), DEER_OK);
    for (int s = 0; s < vec->space->n_subjects; s++)
      assert_memory_equal((char *)vec->history[s] + (size_t)i * held[s], histories[s], held[s]);
  }
  for (int s = 0; s < vec->space->n_subjects; s++)
    assert_memory_equal((char *)vec->observation[s] + (size_t)i * bytes[s], into[s], bytes[s]);
}

static void compare_one_by_one(const deer_env_class *kind, int n, int steps) {
  deer_env *alone[MOST];
  deer_real history[8] = {0}, actions[MOST];
  uint8_t byte_history[8] = {0};
  void *histories[] = {history, byte_history};
  make(kind, n, 0);
  for (int i = 0; i < n; i++) {
    alone[i] = envs[i];
    memset(history, 0, sizeof history);
    assert_int_equal(deer_env_reset(alone[i], -1, histories), DEER_OK);
  }
  make(kind, n, 0);
  deer_vec_env *vec = vec_new(NULL);
  assert_int_equal(deer_vec_reset(vec, -1), DEER_OK);
  deer_rng rng = deer_rng_seed(9);
  for (int t = 0; t < steps; t++) {
    draw(vec, &rng, actions);
    assert_int_equal(deer_vec_step(vec, actions), DEER_OK);
    for (int i = 0; i < n; i++) check_row(vec, i, alone[i], actions[i]);
  }
  unmake(vec);
  for (int i = 0; i < n; i++) deer_env_free(alone[i]);
}

static void rows_equal_plain_loops(void **state) {
  (void)state;
  compare_one_by_one(&counter_class, 1, 50);
  compare_one_by_one(&counter_class, 7, 50);
  compare_one_by_one(deer_env_find("cartpole"), 150, 600); /* several steps at once */
  compare_one_by_one(deer_env_find("pendulum"), 3, 450);   /* a time limit of 200 */
  compare_one_by_one(deer_env_find("acrobot"), 2, 30);
}

/* ---- threads ---- */

/* a number that anything different changes */
static uint64_t mix(uint64_t sum, const void *data, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) sum = (sum ^ ((const uint8_t *)data)[i]) * 1099511628211u;
  return sum;
}

static uint64_t digest(const deer_vec_env *vec, uint64_t sum) {
  size_t n = (size_t)vec->n;
  for (int s = 0; s < vec->space->n_subjects; s++) {
    const deer_subject *subject = &vec->space->subjects[s];
    size_t bytes = n * deer_subject_bytes(subject);
    sum = mix(sum, vec->observation[s], bytes);
    sum = mix(sum, vec->final_observation[s], bytes);
    sum = mix(sum, vec->history[s], bytes * (size_t)subject->history);
  }
  return mix(mix(sum, vec->reward, n * sizeof *vec->reward), vec->ending, n * sizeof *vec->ending);
}

/* 40 steps with some work in each, so that threads are worth it */
static uint64_t run_on(int threads, const int *group, const deer_env_class *kind, int n) {
  assert_int_equal(deer_threads_set(threads), DEER_OK);
  make(kind, n, 20000);
  atomic_int inside[3] = {0};
  for (int i = 0; i < n && group; i++) ((counter *)envs[i])->inside = &inside[group[i]];
  deer_vec_env *vec = vec_new(group);
  uint64_t sum = 14695981039346656037u;
  deer_rng rng = deer_rng_seed(4);
  assert_int_equal(deer_vec_reset(vec, -1), DEER_OK);
  for (int t = 0; t < 40; t++) {
    assert_int_equal(step(vec, &rng), DEER_OK);
    sum = digest(vec, sum);
  }
  for (int i = 0; i < n && group; i++) assert_false(((counter *)envs[i])->crowded);
  unmake(vec);
  assert_int_equal(deer_threads_set(1), DEER_OK);
  return sum;
}

static void results_do_not_depend_on_threads(void **state) {
  (void)state;
  static const int group[] = {2, 0, 2, 1, 0, 1, 2, 2, 0, 1, 2};
  const uint64_t one = run_on(1, NULL, &counter_class, 11);
  const uint64_t poles = run_on(1, NULL, deer_env_find("cartpole"), 131);
  for (int threads = 1; threads <= 3; threads++) {
    assert_true(run_on(threads, NULL, &counter_class, 11) == one);
    assert_true(run_on(threads, group, &counter_class, 11) == one);
    assert_true(run_on(threads, NULL, deer_env_find("cartpole"), 131) == poles);
  }
}

/* ---- episodes ---- */

static void a_new_episode_is_not_begun_again(void **state) {
  (void)state;
  make(&counter_class, 3, 0);
  deer_vec_env *vec = vec_new(NULL);
  deer_rng rng = deer_rng_seed(4);
  for (int i = 0; i < 2; i++) assert_int_equal(deer_vec_reset(vec, -1), DEER_OK);
  assert_int_equal(((counter *)envs[0])->episode, 1);
  for (int i = 0; i < 3; i++) assert_int_equal(step(vec, &rng), DEER_OK);
  assert_int_equal(vec->ending[0], DEER_TERMINATED);
  assert_int_equal(vec->ending[1], DEER_RUNNING);
  assert_int_equal(deer_vec_reset(vec, -1), DEER_OK);
  for (int i = 0; i < 3; i++) assert_int_equal(((counter *)envs[i])->episode, 2);
  /* but one of another mode is */
  assert_int_equal(deer_vec_reset(vec, 0), DEER_OK);
  for (int i = 0; i < 3; i++) assert_int_equal(((counter *)envs[i])->episode, 3);
  unmake(vec);
}

static void some_may_rest(void **state) {
  (void)state;
  static const int group[] = {0, 1, 0, 1, 0};
  for (int k = 0; k < 2; k++) {
    make(&counter_class, 5, 0);
    deer_vec_env *vec = vec_new(k ? group : NULL);
    deer_rng rng = deer_rng_seed(4);
    assert_int_equal(deer_vec_reset(vec, -1), DEER_OK);
    vec->active = 3;
    assert_int_equal(step(vec, &rng), DEER_OK);
    for (int i = 0; i < 5; i++) assert_int_equal(((counter *)envs[i])->at, i < 3);
    unmake(vec);
  }
}

/* ---- failures ---- */

/* what happens in a step of 8 environments of which number 5 and number 3 go wrong */
static deer_status fail_with(int threads, const int *group, int wrong, int in_5) {
  assert_int_equal(deer_threads_set(threads), DEER_OK);
  make(&counter_class, 8, 20000);
  const int which[] = {5, 3};
  for (int k = 0; k < 2; k++) {
    counter *c = (counter *)envs[which[k]];
    c->fail_at = wrong == 3 ? 0 : 2;
    c->fail_in = which[k] == 5 ? in_5 : 2;
    c->wrong = wrong;
  }
  deer_vec_env *vec = vec_new(group);
  deer_rng rng = deer_rng_seed(4);
  deer_status status = deer_vec_reset(vec, -1);
  for (int t = 0; t < 20 && status == DEER_OK; t++) status = step(vec, &rng);
  char message[256];
  snprintf(message, sizeof message, "%s", deer_error());
  unmake(vec);
  assert_int_equal(deer_threads_set(1), DEER_OK);
  (void)deer_fail(status, "%s", message);
  return status;
}

static void failures_say_where(void **state) {
  (void)state;
  /* number 3 fails in its second episode, which begins after 6 steps; number 5 in the first, or in
   * the second, which begins after 3 */
  static const int group[] = {0, 0, 1, 1, 1, 0, 1, 0};
  for (int threads = 1; threads <= 3; threads++) {
    assert_int_equal(fail_with(threads, NULL, 0, 1), DEER_EDATA);
    assert_string_equal(deer_error(), "environment 5: boom 2");
    assert_int_equal(fail_with(threads, group, 0, 2), DEER_EDATA);
    assert_string_equal(deer_error(), "environment 5: boom 2");
    assert_int_equal(fail_with(threads, NULL, 1, 9), DEER_EDATA);
    assert_string_equal(deer_error(),
                        "environment 3: the reward is nan (expected a finite number)");
    assert_int_equal(fail_with(threads, NULL, 2, 9), DEER_EDATA);
    assert_string_equal(deer_error(), "environment 3: subject 0 of the observation is nan at "
                                      "element 2 (expected a finite number)");
    assert_int_equal(fail_with(threads, group, 3, 9), DEER_EDATA);
    assert_string_equal(deer_error(), "environment 3: subject 0 of the initial history is nan at "
                                      "element 4 (expected a finite number)");
  }
}

/* of several that fail in one step, the one that one thread alone would come upon */
static void first_failure_is_told(void **state) {
  (void)state;
  static const int group[] = {0, 0, 1, 1, 1, 0, 1, 0};
  for (int threads = 1; threads <= 3; threads++) {
    for (int k = 0; k < 2; k++) {
      assert_int_equal(deer_threads_set(threads), DEER_OK);
      make(&counter_class, 8, 20000);
      for (int i = 3; i <= 5; i += 2) {
        ((counter *)envs[i])->fail_at = 2;
        ((counter *)envs[i])->fail_in = 1;
      }
      deer_vec_env *vec = vec_new(k ? group : NULL);
      deer_rng rng = deer_rng_seed(4);
      assert_int_equal(deer_vec_reset(vec, -1), DEER_OK);
      assert_int_equal(step(vec, &rng), DEER_OK);
      assert_int_equal(step(vec, &rng), DEER_EDATA);
      assert_string_equal(deer_error(), k ? "environment 5: boom 2" : "environment 3: boom 2");
      unmake(vec);
    }
  }
  assert_int_equal(deer_threads_set(1), DEER_OK);
}

static void interrupt_is_heard(void **state) {
  (void)state;
  make(&counter_class, 2, 0);
  deer_vec_env *vec = vec_new(NULL);
  deer_rng rng = deer_rng_seed(4);
  assert_int_equal(deer_vec_reset(vec, -1), DEER_OK);
  deer_interrupt_raise();
  assert_int_equal(step(vec, &rng), DEER_EINTERRUPT);
  assert_int_equal(deer_vec_reset(vec, -1), DEER_EINTERRUPT);
  deer_interrupt_clear();
  assert_int_equal(deer_vec_reset(vec, -1), DEER_OK);
  assert_int_equal(step(vec, &rng), DEER_OK);
  unmake(vec);
}

static void unlike_environments_are_refused(void **state) {
  (void)state;
  deer_vec_env *vec;
  deer_env *mixed[] = {NULL, NULL};
  make(deer_env_find("cartpole"), 1, 0);
  mixed[0] = envs[0];
  make(deer_env_find("pendulum"), 1, 0);
  mixed[1] = envs[0];
  assert_int_equal(deer_vec_env_new(mixed, 2, NULL, &vec), DEER_EINVAL);
  assert_string_equal(deer_error(), "environment 1 has another space than environment 0");
  assert_null(vec);
  assert_int_equal(deer_vec_env_new(mixed, 0, NULL, &vec), DEER_EINVAL);
  assert_int_equal(deer_vec_env_new(mixed, DEER_MAX_ENVS + 1, NULL, &vec), DEER_EINVAL);
  assert_string_equal(deer_error(), "65537 environments (expected 1 to 65536)");
  unmake(NULL);
  deer_env_free(mixed[0]);
}

/* ---- memory ---- */

static void every_failed_allocation_is_survived(void **state) {
  (void)state;
  static const int group[] = {0, 1, 0};
  make(&counter_class, 3, 0);
  size_t before = deer_alloc_bytes();
  int failures = 0;
  for (deer_status status = DEER_ENOMEM; status == DEER_ENOMEM; failures++) {
    deer_vec_env *vec;
    deer_alloc_fail_at((uint64_t)failures + 1);
    status = deer_vec_env_new(envs, 3, group, &vec);
    deer_alloc_fail_at(0);
    assert_true(status == DEER_OK ? vec != NULL : vec == NULL);
    deer_vec_env_free(vec);
    assert_int_equal(deer_alloc_bytes(), before);
  }
  assert_in_range(failures, 10, 100);
  unmake(NULL);
}

static void steady_state_allocates_nothing(void **state) {
  (void)state;
  make(&counter_class, 4, 20000);
  assert_int_equal(deer_threads_set(2), DEER_OK);
  deer_vec_env *vec = vec_new(NULL);
  deer_rng rng = deer_rng_seed(4);
  assert_int_equal(deer_vec_reset(vec, -1), DEER_OK);
  uint64_t calls = deer_alloc_calls();
  for (int t = 0; t < 30; t++) assert_int_equal(step(vec, &rng), DEER_OK);
  assert_int_equal(deer_alloc_calls(), calls);
  unmake(vec);
  assert_int_equal(deer_threads_set(1), DEER_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_equal_plain_loops),
      cmocka_unit_test(results_do_not_depend_on_threads),
      cmocka_unit_test(a_new_episode_is_not_begun_again),
      cmocka_unit_test(some_may_rest),
      cmocka_unit_test(failures_say_where),
      cmocka_unit_test(first_failure_is_told),
      cmocka_unit_test(interrupt_is_heard),
      cmocka_unit_test(unlike_environments_are_refused),
      cmocka_unit_test(every_failed_allocation_is_survived),
      cmocka_unit_test(steady_state_allocates_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
