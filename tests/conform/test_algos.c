/* test_algos.c: every registered algorithm, on a task whose answer is told by the observation: of
 * discrete actions the one that equals it earns 1, continuous ones earn the more the nearer they
 * are to a place. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CHOICES = 3, SIZE = 2 };

static deer_space make_space(bool discrete) {
  deer_space space = {.n_subjects = 1, .actions = {.n = CHOICES, .size = 1}};
  space.subjects[0] = (deer_subject){1, DEER_SHAPE(CHOICES), DEER_DTYPE_REAL};
  if (!discrete) space.actions = (deer_action_space){.size = SIZE, .low = {-2, 0}, .high = {2, 1}};
  return space;
}

static deer_space space_of(const deer_algo_class *class) {
  return make_space(class->caps & DEER_ALGO_DISCRETE);
}

/* where a continuous action should be when `asked` is observed */
static const double places[CHOICES][SIZE] = {{-1, 0.25}, {0.5, 0.5}, {1.5, 0.9}};

/* how far an action is from it, in half widths of the box */
static double distance(const deer_space *space, const deer_real *action, int asked, int i) {
  double half = 0.5 * (space->actions.high[i] - space->actions.low[i]);
  return ((double)action[i] - places[asked][i]) / half;
}

/* what an action earns when `asked` is observed */
static double reward(const deer_space *space, const deer_real *action, int asked) {
  if (space->actions.n > 0) return (int)*action == asked;
  double sum = 0;
  for (int i = 0; i < SIZE; i++) sum -= pow(distance(space, action, asked, i), 2);
  return sum;
}

static bool is_right(const deer_space *space, const deer_real *action, int asked) {
  if (space->actions.n > 0) return (int)*action == asked;
  double first = distance(space, action, asked, 0), second = distance(space, action, asked, 1);
  return fabs(first) < 0.2 && fabs(second) < 0.2;
}

/* the observation that asks for action `a` */
static void show(int a, deer_real x[CHOICES]) {
  for (int i = 0; i < CHOICES; i++) x[i] = i == a;
}

/* options that make another algorithm of one; the first is that of the defaults */
enum { VARIANTS = 8, MOST_OPTIONS = 5 };
typedef struct variant {
  const char *algo; /* NULL: any */
  deer_option options[MOST_OPTIONS];
} variant;

#define NUMBER(name, x)                                                                            \
  {                                                                                                \
    name, { DEER_VALUE_NUMBER, x, NULL }                                                           \
  }
#define FLAG(name)                                                                                 \
  {                                                                                                \
    name, { DEER_VALUE_BOOL, 1, NULL }                                                             \
  }
#define WORD(name, x)                                                                              \
  {                                                                                                \
    name, { DEER_VALUE_TEXT, 0, x }                                                                \
  }
#define C51 WORD("distribution", "categorical"), NUMBER("v_min", -1), NUMBER("v_max", 2)
static const variant variants[VARIANTS] = {
    {NULL, {{0}}},
    {"dqn", {FLAG("double_q"), FLAG("dueling"), NUMBER("tau", 0.05)}},
    {"dqn", {C51}},
    {"dqn", {C51, FLAG("double_q"), FLAG("dueling")}},
    {"dqn", {WORD("distribution", "quantile"), NUMBER("atoms", 8), NUMBER("clip_delta", 1)}},
    {"dqn", {WORD("distribution", "quantile"), NUMBER("atoms", 8), FLAG("double_q")}},
    {"dqn", {FLAG("noisy"), FLAG("dueling"), NUMBER("dueling_hidden", 8)}},
    {"dqn", {C51, FLAG("noisy"), NUMBER("tau", 0.05)}}};

static bool is_of(const variant *v, const deer_algo_class *class) {
  return !v->algo || strcmp(v->algo, class->name) == 0;
}

static deer_algo *make_variant(const deer_algo_class *class, const variant *v, uint64_t seed) {
  deer_space space = space_of(class);
  deer_rng rng = deer_rng_seed(seed);
  deer_option options[1 + MOST_OPTIONS] = {NUMBER("batch_size", 32)};
  int n = 1;
  for (; n <= MOST_OPTIONS && v->options[n - 1].name; n++) options[n] = v->options[n - 1];
  deer_algo_config config = {.space = &space, .options = options, .n_options = n, .rng = &rng};
  deer_algo *algo;
  if (deer_algo_new(class, &config, &algo) != DEER_OK)
    fail_msg("%s: %s", class->name, deer_error());
  return algo;
}

static deer_algo *make(const deer_algo_class *class, uint64_t seed) {
  return make_variant(class, &variants[0], seed);
}

static deer_replay *memory(const deer_algo_class *class) {
  deer_space space = space_of(class);
  deer_replay_config config = {.space = &space, .capacity = 1000, .only_full_history = true};
  deer_replay *replay;
  assert_int_equal(deer_replay_new(deer_replay_find("uniform"), &config, &replay), DEER_OK);
  deer_rng rng = deer_rng_seed(17);
  for (int t = 0; t < 600; t++) {
    int asked = (int)deer_rng_below(&rng, CHOICES);
    deer_real x[CHOICES], action[SIZE];
    deer_random_action(&space.actions, &rng, action);
    show(asked, x);
    const void *observation[] = {x};
    deer_sample sample = {observation, action, reward(&space, action, asked), DEER_TERMINATED, 0};
    assert_int_equal(deer_replay_push(replay, &sample), DEER_OK);
  }
  return replay;
}

/* how often the best action is right; what the algo draws lies in the box */
static int right_answers(deer_algo *algo) {
  int right = 0;
  deer_rng rng = deer_rng_seed(5);
  for (int asked = 0; asked < CHOICES; asked++) {
    deer_real x[CHOICES], action[SIZE] = {-9, -9}, same[SIZE] = {-9, -9};
    double value;
    show(asked, x);
    const void *state[] = {x};
    assert_int_equal(algo->kind->act(algo, state, action, &value), DEER_OK);
    assert_int_equal(deer_action_check(&algo->space.actions, action), DEER_OK);
    assert_true(isfinite(value));
    right += is_right(&algo->space, action, asked);
    /* nobody need ask for the value */
    assert_int_equal(algo->kind->act(algo, state, same, NULL), DEER_OK);
    assert_memory_equal(action, same, (size_t)algo->space.actions.size * sizeof *action);
    for (int i = 0; algo->kind->explore && i < 20; i++) {
      /* with some options there may be nothing to draw from */
      deer_status status = algo->kind->explore(algo, state, &rng, action);
      if (status == DEER_OK)
        assert_int_equal(deer_action_check(&algo->space.actions, action), DEER_OK);
      else
        assert_non_null(strstr(deer_error(), "expected the option"));
    }
  }
  return right;
}

static double train(deer_algo *algo, deer_replay *replay, int updates) {
  deer_rng rng = deer_rng_seed(23);
  double loss = NAN;
  for (int i = 0; i < updates; i++)
    assert_int_equal(algo->kind->learn(algo, replay, &rng, &loss), DEER_OK);
  return loss;
}

static void learn_answers(const deer_algo_class *class, const variant *v) {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    deer_algo *algo = make_variant(class, v, seed);
    deer_replay *replay = memory(class);
    train(algo, replay, 1200);
    if (right_answers(algo) != CHOICES)
      fail_msg("%s, variant %d, seed %d", class->name, (int)(v - variants), (int)seed);
    assert_int_equal(algo->updates, 1200);
    deer_replay_free(replay);
    deer_algo_free(algo);
  }
}

static void answers_are_learned(void **state) {
  (void)state;
  for (int kind = 0; deer_algo_at(kind); kind++)
    for (int i = 0; i < VARIANTS; i++)
      if (is_of(&variants[i], deer_algo_at(kind))) learn_answers(deer_algo_at(kind), &variants[i]);
}

static void repeat_learning(const deer_algo_class *class, const variant *v) {
  deer_algo *a = make_variant(class, v, 4), *b = make_variant(class, v, 4),
            *c = make_variant(class, v, 5);
  deer_replay *replay = memory(class);
  double first = train(a, replay, 20);
  uint64_t calls = deer_alloc_calls();
  assert_true(train(b, replay, 20) == first);
  assert_true(deer_alloc_calls() == calls);
  assert_true(train(c, replay, 20) != first);
  deer_replay_free(replay);
  deer_algo_free(a);
  deer_algo_free(b);
  deer_algo_free(c);
}

static void learning_repeats_and_allocates_nothing(void **state) {
  (void)state;
  for (int kind = 0; deer_algo_at(kind); kind++)
    for (int i = 0; i < VARIANTS; i++)
      if (is_of(&variants[i], deer_algo_at(kind)))
        repeat_learning(deer_algo_at(kind), &variants[i]);
}

typedef struct tally {
  int n;
  size_t elements;
  char last[80];
} tally;

static void count(void *context, const char *name, const deer_shape *shape, deer_real *data) {
  tally *t = context;
  assert_string_not_equal(name, t->last);
  assert_true(isfinite((double)data[0]));
  snprintf(t->last, sizeof t->last, "%s", name);
  t->n++;
  t->elements += deer_shape_count(shape);
}

static void parameters_are_visited(void **state) {
  (void)state;
  for (int kind = 0; deer_algo_at(kind); kind++) {
    deer_algo *algo = make(deer_algo_at(kind), 6);
    tally first = {0}, second = {0};
    algo->kind->visit(algo, &first, count);
    algo->kind->visit(algo, &second, count);
    assert_true(first.n > 0 && first.n == second.n && first.elements == second.elements);
    deer_algo_free(algo);
  }
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  for (int kind = 0; deer_algo_at(kind); kind++) {
    const deer_algo_class *class = deer_algo_at(kind);
    deer_space space = space_of(class);
    deer_rng rng = deer_rng_seed(1);
    deer_option wrong = {"learning_rte", {DEER_VALUE_NUMBER, 1, NULL}};
    deer_algo *algo;
    deer_algo_config config = {.space = &space, .options = &wrong, .n_options = 1, .rng = &rng};
    assert_int_equal(deer_algo_new(class, &config, &algo), DEER_EINVAL);
    assert_null(algo);
    assert_non_null(strstr(deer_error(), "did you mean 'learning_rate'"));
    config.n_options = 0;
    /* the actions it cannot take, if any */
    bool discrete = class->caps & DEER_ALGO_DISCRETE;
    space = make_space(!discrete);
    if (discrete && class->caps & DEER_ALGO_CONTINUOUS) continue;
    assert_int_equal(deer_algo_new(class, &config, &algo), DEER_EINVAL);
    char sentence[120];
    snprintf(sentence, sizeof sentence, "%s works with %s actions, the environment has %s ones",
             class->name, discrete ? "discrete" : "continuous",
             discrete ? "continuous" : "discrete");
    assert_string_equal(deer_error(), sentence);
  }
}

/* some of the places where memory can run out while an algo is made */
static void without_memory_nothing_is_left(void **state) {
  (void)state;
  for (int kind = 0; deer_algo_at(kind); kind++) {
    const deer_algo_class *class = deer_algo_at(kind);
    deer_space space = space_of(class);
    deer_rng rng = deer_rng_seed(1);
    deer_algo_config config = {.space = &space, .rng = &rng};
    size_t blocks = deer_alloc_blocks();
    deer_status status = DEER_ENOMEM;
    for (uint64_t n = 1; status != DEER_OK; n += 5) {
      deer_algo *algo;
      deer_alloc_fail_at(n);
      status = deer_algo_new(class, &config, &algo);
      deer_alloc_fail_at(0);
      if (status != DEER_OK && status != DEER_ENOMEM)
        fail_msg("%s, allocation %d: %s", class->name, (int)n, deer_error());
      assert_true((algo != NULL) == (status == DEER_OK));
      deer_algo_free(algo);
      assert_int_equal(deer_alloc_blocks(), blocks);
    }
  }
}

static void rates_are_checked(void **state) {
  (void)state;
  deer_algo *algo = make(deer_algo_at(0), 1);
  assert_int_equal(deer_algo_set_learning_rate(algo, 0.5), DEER_OK);
  assert_int_equal(deer_algo_set_learning_rate(algo, -1), DEER_EINVAL);
  assert_int_equal(deer_algo_set_learning_rate(algo, NAN), DEER_EINVAL);
  assert_int_equal(deer_algo_set_discount(algo, 1), DEER_OK);
  assert_int_equal(deer_algo_set_discount(algo, 1.01), DEER_EINVAL);
  assert_true(algo->learning_rate == 0.5 && algo->discount == 1);
  deer_algo_free(algo);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_learned),
                                     cmocka_unit_test(learning_repeats_and_allocates_nothing),
                                     cmocka_unit_test(parameters_are_visited),
                                     cmocka_unit_test(what_cannot_be_is_refused),
                                     cmocka_unit_test(without_memory_nothing_is_left),
                                     cmocka_unit_test(rates_are_checked)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
