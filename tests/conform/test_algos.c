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

static deer_space make_space(deer_action_kind kind) {
  deer_space space = {.n_subjects = 1, .subjects = {{1, DEER_SHAPE(CHOICES), DEER_DTYPE_REAL}}};
  if (kind == DEER_ACTIONS_DISCRETE)
    space.actions = (deer_action_space){.n = CHOICES, .size = 1};
  else if (kind == DEER_ACTIONS_MULTI_DISCRETE)
    space.actions = (deer_action_space){.size = SIZE, .choices = {CHOICES, 2}};
  else
    space.actions = (deer_action_space){.size = SIZE, .low = {-2, 0}, .high = {2, 1}};
  return space;
}

/* what a test runs over: an algorithm, with actions that it can take and some options */
typedef struct trial {
  const deer_algo_class *class;
  deer_action_kind actions;
  const struct variant *variant;
} trial;

/* where a continuous action should be when `asked` is observed */
static const double places[CHOICES][SIZE] = {{-1, 0.25}, {0.5, 0.5}, {1.5, 0.9}};

/* how far an action is from it, in half widths of the box */
static double distance(const deer_space *space, const deer_real *action, int asked, int i) {
  double half = 0.5 * (space->actions.high[i] - space->actions.low[i]);
  return ((double)action[i] - places[asked][i]) / half;
}

/* of several choices the second is whether the first thing was asked for */
static bool is_answer(const deer_space *space, const deer_real *action, int asked) {
  bool first = (int)action[0] == asked;
  return space->actions.n > 0 ? first : first && (int)action[1] == (asked == 0);
}

static bool is_continuous(const deer_space *space) {
  return deer_actions_kind(&space->actions) == DEER_ACTIONS_CONTINUOUS;
}

/* what an action earns when `asked` is observed */
static double reward(const deer_space *space, const deer_real *action, int asked) {
  if (!is_continuous(space)) return is_answer(space, action, asked);
  double sum = 0;
  for (int i = 0; i < SIZE; i++) sum -= pow(distance(space, action, asked, i), 2);
  return sum;
}

static bool is_right(const deer_space *space, const deer_real *action, int asked) {
  if (!is_continuous(space)) return is_answer(space, action, asked);
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

/* every algorithm with every kind of action that it takes, with every variant of it; *at starts at
 * 0 and is moved past the trial */
static bool next_trial(int *at, trial *t) {
  enum { KINDS = 3 };
  for (;; ++*at) {
    const variant *v = &variants[*at % VARIANTS];
    t->class = deer_algo_at(*at / VARIANTS / KINDS);
    if (!t->class) return false;
    t->actions = (deer_action_kind)(1 << *at / VARIANTS % KINDS);
    t->variant = v;
    if (!(t->class->caps & t->actions) || (v->algo && strcmp(v->algo, t->class->name) != 0))
      continue;
    ++*at;
    return true;
  }
}

static deer_algo *make(const trial *t, uint64_t seed) {
  deer_space space = make_space(t->actions);
  deer_rng rng = deer_rng_seed(seed);
  /* what learns from its newest samples alone is given larger batches and takes larger steps */
  static const deer_option fresh[] = {NUMBER("batch_size", 64), NUMBER("horizon", 64),
                                      NUMBER("learning_rate", 2e-3), NUMBER("initial_std", 0.3),
                                      NUMBER("entropy_coefficient", 0.02)};
  enum { FRESH = sizeof fresh / sizeof *fresh };
  deer_option options[FRESH + MOST_OPTIONS] = {NUMBER("batch_size", 32)};
  const deer_option *more = t->variant->options;
  int n = 1;
  if (t->class->horizon) memcpy(options, fresh, sizeof fresh), n = FRESH;
  for (int i = 0; i < MOST_OPTIONS && more[i].name; i++) options[n++] = more[i];
  deer_algo_config config = {.space = &space, .options = options, .n_options = n, .rng = &rng};
  deer_algo *algo;
  if (deer_algo_new(t->class, &config, &algo) != DEER_OK)
    fail_msg("%s: %s", t->class->name, deer_error());
  return algo;
}

enum { LANES = 3 };

static deer_replay *memory(const trial *t) {
  deer_space space = make_space(t->actions);
  deer_replay_config config = {
      .space = &space, .lanes = LANES, .capacity = 4000, .only_full_history = true};
  deer_replay *replay;
  assert_int_equal(deer_replay_new(deer_replay_find("uniform"), &config, &replay), DEER_OK);
  return replay;
}

/* a question in every lane, answered by the algo, or by chance where that is NULL */
static void ask(deer_replay *replay, deer_algo *algo, deer_rng *rng) {
  const deer_space *space = deer_replay_space(replay);
  for (int lane = 0; lane < LANES; lane++) {
    int asked = (int)deer_rng_below(rng, CHOICES);
    deer_real x[CHOICES], action[SIZE];
    const void *observation[] = {x};
    show(asked, x);
    if (algo)
      assert_int_equal(algo->kind->explore(algo, observation, rng, action), DEER_OK);
    else
      deer_random_action(&space->actions, rng, action);
    deer_sample sample = {observation, action, reward(space, action, asked), DEER_TERMINATED, lane};
    assert_int_equal(deer_replay_push(replay, &sample), DEER_OK);
  }
}

static deer_replay *full_memory(const trial *t) {
  deer_replay *replay = memory(t);
  deer_rng rng = deer_rng_seed(17);
  for (int i = 0; !t->class->horizon && i < 200; i++) ask(replay, NULL, &rng);
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

/* an algo that learns from what it did itself does so in between */
static double train(deer_algo *algo, deer_replay *replay, deer_rng *rng, int updates) {
  double loss = NAN;
  for (int i = 0; i < updates; i++) {
    deer_status status;
    while ((status = algo->kind->learn(algo, replay, rng, &loss)) == DEER_EAGAIN) {
      assert_non_null(algo->kind->horizon);
      ask(replay, algo, rng);
    }
    assert_int_equal(status, DEER_OK);
  }
  return loss;
}

/* 1200 updates, or as many as three times 2000 samples of its own allow */
static int train_long(deer_algo *algo, deer_replay *replay) {
  deer_rng rng = deer_rng_seed(23);
  int updates = 0;
  do {
    const int n = algo->kind->horizon ? 10 : 1200;
    train(algo, replay, &rng, n);
    updates += n;
  } while (algo->kind->horizon && deer_replay_pushed(replay, 0) < 2000);
  return updates;
}

static void learn_answers(const trial *t) {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    deer_algo *algo = make(t, seed);
    deer_replay *replay = full_memory(t);
    const int updates = train_long(algo, replay);
    if (right_answers(algo) != CHOICES)
      fail_msg("%s, %s actions, variant %d, seed %d", t->class->name,
               deer_action_kind_name(t->actions), (int)(t->variant - variants), (int)seed);
    assert_int_equal(algo->updates, updates);
    deer_replay_free(replay);
    deer_algo_free(algo);
  }
}

static void answers_are_learned(void **state) {
  (void)state;
  trial t;
  for (int at = 0; next_trial(&at, &t);) learn_answers(&t);
}

/* what is made at the first update is kept */
static void repeat_learning(const trial *t) {
  double loss[3];
  for (uint64_t i = 0; i < 3; i++) {
    deer_algo *algo = make(t, i < 2 ? 4 : 5);
    deer_replay *replay = full_memory(t);
    deer_rng rng = deer_rng_seed(23);
    train(algo, replay, &rng, 1);
    uint64_t calls = deer_alloc_calls();
    loss[i] = train(algo, replay, &rng, 20);
    assert_true(deer_alloc_calls() == calls);
    deer_replay_free(replay);
    deer_algo_free(algo);
  }
  assert_true(loss[1] == loss[0]);
  assert_true(loss[2] != loss[0]);
}

static void learning_repeats_and_allocates_nothing(void **state) {
  (void)state;
  trial t;
  for (int at = 0; next_trial(&at, &t);) repeat_learning(&t);
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
  trial t;
  for (int at = 0; next_trial(&at, &t);) {
    deer_algo *algo = make(&t, 6);
    tally first = {0}, second = {0};
    algo->kind->visit(algo, &first, count);
    algo->kind->visit(algo, &second, count);
    assert_true(first.n > 0 && first.n == second.n && first.elements == second.elements);
    deer_algo_free(algo);
  }
}

/* the kinds of actions that an algo takes, as messages have them */
static const char *kinds_of(const deer_algo_class *class, char text[80]) {
  *text = '\0';
  for (unsigned kind = 1; kind <= DEER_ACTIONS_MULTI_DISCRETE; kind *= 2)
    if (class->caps & kind)
      strcat(strcat(text, *text ? " or " : ""), deer_action_kind_name((deer_action_kind)kind));
  return text;
}

static void refuse_actions(const deer_algo_class *class, deer_action_kind actions) {
  char kinds[80], sentence[160];
  deer_space space = make_space(actions);
  deer_rng rng = deer_rng_seed(1);
  deer_algo_config config = {.space = &space, .rng = &rng};
  deer_algo *algo;
  assert_int_equal(deer_algo_new(class, &config, &algo), DEER_EINVAL);
  snprintf(sentence, sizeof sentence, "%s works with %s actions, the environment has %s ones",
           class->name, kinds_of(class, kinds), deer_action_kind_name(actions));
  assert_string_equal(deer_error(), sentence);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  trial t;
  for (int at = 0; next_trial(&at, &t);) {
    deer_space space = make_space(t.actions);
    deer_rng rng = deer_rng_seed(1);
    deer_option wrong = {"learning_rte", {DEER_VALUE_NUMBER, 1, NULL}};
    deer_algo *algo;
    deer_algo_config config = {.space = &space, .options = &wrong, .n_options = 1, .rng = &rng};
    assert_int_equal(deer_algo_new(t.class, &config, &algo), DEER_EINVAL);
    assert_null(algo);
    assert_non_null(strstr(deer_error(), "did you mean 'learning_rate'"));
    for (unsigned kind = 1; kind <= DEER_ACTIONS_MULTI_DISCRETE; kind *= 2)
      if (!(t.class->caps & kind)) refuse_actions(t.class, (deer_action_kind)kind);
  }
}

/* some of the places where memory can run out while an algo is made */
static void without_memory_nothing_is_left(void **state) {
  (void)state;
  trial t;
  for (int at = 0; next_trial(&at, &t);) {
    const deer_algo_class *class = t.class;
    deer_space space = make_space(t.actions);
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

enum { ROWS = 7 };

/* answers for the first n states at once against those for each alone */
static void compare_rows(deer_algo *algo, int n, deer_real x[ROWS][CHOICES]) {
  const deer_algo_class *class = algo->kind;
  deer_real all[ROWS * SIZE], again[ROWS * SIZE], one[SIZE];
  double values[ROWS], value;
  size_t size = (size_t)algo->space.actions.size;
  assert_int_equal(class->act_rows(algo, n, (const void *const[]){x}, all, values), DEER_OK);
  for (int i = 0; i < n; i++) {
    assert_int_equal(class->act(algo, (const void *const[]){x[i]}, one, &value), DEER_OK);
    /* in double precision products of several rows may be summed up in another order */
    assert_true(fabs(value - values[i]) < 1e-12);
    for (size_t k = 0; k < size; k++) assert_true(fabs(one[k] - all[(size_t)i * size + k]) < 1e-12);
  }
  assert_int_equal(class->act_rows(algo, n, (const void *const[]){x}, again, NULL), DEER_OK);
  assert_memory_equal(again, all, (size_t)n * size * sizeof *all);
}

/* what is drawn lies in the space, and another time is something else */
static void draw_rows(deer_algo *algo, deer_real x[ROWS][CHOICES]) {
  deer_real drawn[2][ROWS * SIZE] = {{0}};
  deer_rng rng = deer_rng_seed(2);
  size_t size = (size_t)algo->space.actions.size;
  for (int t = 0; t < 2; t++) {
    const void *const states[] = {x};
    assert_int_equal(algo->kind->explore_rows(algo, ROWS, states, &rng, drawn[t]), DEER_OK);
    for (size_t i = 0; i < ROWS; i++)
      assert_int_equal(deer_action_check(&algo->space.actions, drawn[t] + i * size), DEER_OK);
  }
  if (deer_actions_kind(&algo->space.actions) == DEER_ACTIONS_CONTINUOUS)
    assert_memory_not_equal(drawn[0], drawn[1], sizeof drawn[0]);
}

/* what is best in a state, and its value, do not depend on how many are asked about at once */
static void several_states_are_answered_at_once(void **state) {
  (void)state;
  trial t;
  deer_real x[ROWS][CHOICES];
  deer_rng rng = deer_rng_seed(6);
  for (int i = 0; i < ROWS; i++)
    for (int k = 0; k < CHOICES; k++) x[i][k] = (deer_real)deer_rng_normal(&rng);
  for (int at = 0; next_trial(&at, &t);) {
    if (!t.class->act_rows) continue;
    deer_algo *algo = make(&t, 3);
    for (int n = ROWS; n > 0; n -= 3) compare_rows(algo, n, x); /* also fewer than before */
    bool noisy = t.variant->options[0].name && strcmp(t.variant->options[0].name, "noisy") == 0;
    if (t.class->explore_rows && (noisy || strcmp(t.class->name, "dqn") != 0)) draw_rows(algo, x);
    deer_algo_free(algo);
  }
}

enum { DRAWS = 4000 };

/* how much each number that was told differs from what `n` draws say, in deviations of that */
static void compare_discrete(const trial *t, const deer_real *p, int n, const int *counted) {
  double sum = 0;
  for (int i = 0; i < n; i++) {
    double expected = (double)p[i], got = (double)counted[i] / DRAWS;
    sum += expected;
    if (fabs(got - expected) > 5 * sqrt(expected * (1 - expected) / DRAWS) + 1e-6)
      fail_msg("%s: choice %d, told %g, drawn %g", t->class->name, i, expected, got);
  }
  assert_true(fabs(sum - 1) < 1e-6);
}

static void compare_continuous(const trial *t, const deer_real *told, deer_real (*drawn)[SIZE]) {
  for (int k = 0; k < SIZE; k++) {
    double sum = 0, squares = 0, mean = (double)told[k], std = (double)told[SIZE + k];
    for (int i = 0; i < DRAWS; i++) sum += (double)drawn[i][k];
    for (int i = 0; i < DRAWS; i++) squares += pow((double)drawn[i][k] - sum / DRAWS, 2);
    if (fabs(sum / DRAWS - mean) > 5 * std / sqrt(DRAWS) ||
        fabs(sqrt(squares / DRAWS) - std) > 0.1 * std)
      fail_msg("%s: number %d, told %g +- %g, drawn %g +- %g", t->class->name, k, mean, std,
               sum / DRAWS, sqrt(squares / DRAWS));
  }
}

static void compare_draws(const trial *t, deer_algo *algo) {
  static deer_real drawn[DRAWS][SIZE];
  deer_real x[CHOICES], told[2 * CHOICES];
  int counted[SIZE][CHOICES] = {{0}};
  const void *state[] = {x};
  deer_rng rng = deer_rng_seed(8);
  show(1, x);
  assert_true(deer_algo_distribution_size(&algo->space.actions) <= 2 * CHOICES);
  assert_int_equal(deer_algo_distribution(algo, state, told), DEER_OK);
  for (int i = 0; i < DRAWS; i++) {
    assert_int_equal(algo->kind->explore(algo, state, &rng, drawn[i]), DEER_OK);
    for (int k = 0; k < algo->space.actions.size && !is_continuous(&algo->space); k++)
      counted[k][(int)drawn[i][k]]++;
  }
  if (t->actions == DEER_ACTIONS_CONTINUOUS) compare_continuous(t, told, drawn);
  if (t->actions == DEER_ACTIONS_DISCRETE) compare_discrete(t, told, CHOICES, counted[0]);
  if (t->actions != DEER_ACTIONS_MULTI_DISCRETE) return;
  compare_discrete(t, told, CHOICES, counted[0]);
  compare_discrete(t, told + CHOICES, 2, counted[1]);
}

/* who draws actions tells from what, and who does not says so */
static void distributions_are_those_of_the_draws(void **state) {
  (void)state;
  trial t;
  for (int at = 0; next_trial(&at, &t);) {
    deer_algo *algo = make(&t, 9);
    deer_replay *replay = full_memory(&t);
    deer_rng rng = deer_rng_seed(10);
    assert_true((t.class->distribution != NULL) == (t.class->explore && !t.class->explores));
    train(algo, replay, &rng, 20);
    if (t.class->distribution) {
      compare_draws(&t, algo);
    } else {
      assert_int_equal(deer_algo_distribution(algo, NULL, NULL), DEER_EINVAL);
      assert_non_null(strstr(deer_error(), "knows no probabilities of actions"));
    }
    deer_replay_free(replay);
    deer_algo_free(algo);
  }
}

/* numbers of which only the task can say what is worth trying */
static bool depends_on_the_task(const char *option) {
  static const char *const names[] = {"v_min", "v_max", "skills"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(option, names[i]) == 0) return true;
  return false;
}

/* paper, kinds of actions, a line about each option, and where a search should look for it */
static void everything_is_declared(void **state) {
  (void)state;
  for (int i = 0; deer_algo_at(i); i++) {
    const deer_algo_class *class = deer_algo_at(i);
    assert_true(class->paper && *class->paper && class->help && *class->help);
    assert_true(class->caps != 0 && (class->caps & ~(unsigned)DEER_ALGO_ANY) == 0);
    for (const deer_field *f = class->fields; f->name; f++) {
      bool number = f->type == DEER_FIELD_REAL || f->type == DEER_FIELD_INT;
      if (!f->help || !*f->help) fail_msg("%s: no help for %s", class->name, f->name);
      if (!number || depends_on_the_task(f->name)) continue;
      if (f->search_min >= f->search_max || f->search_min < f->min || f->search_max > f->max)
        fail_msg("%s: %s is searched from %g to %g", class->name, f->name, f->search_min,
                 f->search_max);
    }
  }
}

static void rates_are_checked(void **state) {
  (void)state;
  trial t;
  int at = 0;
  assert_true(next_trial(&at, &t));
  deer_algo *algo = make(&t, 1);
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
                                     cmocka_unit_test(several_states_are_answered_at_once),
                                     cmocka_unit_test(distributions_are_those_of_the_draws),
                                     cmocka_unit_test(everything_is_declared),
                                     cmocka_unit_test(rates_are_checked)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
