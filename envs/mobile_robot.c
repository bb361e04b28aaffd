/* mobile_robot.c: a robot in a square arena of 4 by 4 metres has to go to its target. S-RL
 * Toolbox's MobileRobot environments (Raffin et al. 2018, arXiv:1809.09369) without the simulator,
 * which there only sets positions. The tasks are a place to reach, the same along a line (the robot
 * only goes up and down), one place and then another, and a line across the arena.
 *
 * A step is 0.1 m; one into a wall leaves the robot where it is and earns -1, else being at the
 * target earns 1, in every step. Shaped, the reward is minus the distance. Nothing ends an episode
 * but its time. */
#include "deer.h"

#include <math.h>
#include <string.h>

enum { TWO_D, ONE_D, TWO_TARGETS, LINE };
enum { RELATIVE, GROUND_TRUTH, IMAGE };
enum { PIXELS = 224, MOST_TARGETS = 2 };

static const double side = 4, stride = 0.1, near = 0.4, near_line = 0.1; /* metres */
static const double length = 0.65, width = 0.2, gap = 0.1; /* of the robot, and to the walls */

typedef struct mobile_robot {
  deer_env base;
  int task, state; /* options */
  bool continuous, random_target, shape_reward, first_person;
  int64_t image_size;
  deer_list start_state;
  double robot[2], target[MOST_TARGETS][2]; /* x is down in the picture, y to the right */
  int current;                              /* target */
  deer_canvas *canvas;                      /* what an image is drawn on */
} mobile_robot;

static const deer_field fields[] = {
    {"task", DEER_FIELD_CHOICE, offsetof(mobile_robot, task), .fallback = TWO_D,
     .choices = "2d|1d|two_targets|line",
     .help = "reach a place in the plane, on a line, two places one after the other, or a line"},
    {"state", DEER_FIELD_CHOICE, offsetof(mobile_robot, state), .fallback = RELATIVE,
     .choices = "relative|ground_truth|image",
     .help = "where the robot is: seen from its target, in the arena, or as a picture from above"},
    {"image_size", DEER_FIELD_INT, offsetof(mobile_robot, image_size), .fallback = PIXELS,
     .min = 16, .max = 1024, .help = "rows and columns of the picture, in pixels"},
    {"continuous", DEER_FIELD_BOOL, offsetof(mobile_robot, continuous),
     .help = "the action is a step, -1 to 1 in each direction, instead of one of the directions"},
    {"random_target", DEER_FIELD_BOOL, offsetof(mobile_robot, random_target),
     .help = "targets are drawn for every episode"},
    {"shape_reward", DEER_FIELD_BOOL, offsetof(mobile_robot, shape_reward),
     .help = "the reward is minus the distance to the target"},
    {"first_person", DEER_FIELD_BOOL, offsetof(mobile_robot, first_person),
     .help = "pictures show besides what a camera on the robot sees: three more channels"},
    {"start_state", DEER_FIELD_LIST, offsetof(mobile_robot, start_state), .max = 4,
     .choices = "x|y", .help = "where every episode begins; drawn around the middle if not given"},
    {"max_steps", DEER_FIELD_INT, offsetof(deer_env, max_steps), .max = 1e15,
     .help = "steps after which an episode is cut short; 0: 250, or 1500 with two targets"},
    {0}};

static int dimensions(const mobile_robot *m) { return m->task == ONE_D ? 1 : 2; }
static int n_targets(const mobile_robot *m) { return m->task == TWO_TARGETS ? 2 : 1; }
static int n_views(const mobile_robot *m) { return m->first_person ? 2 : 1; }

/* how far the robot may go in direction `axis`: from this to side minus this */
static double margin(int axis) { return gap + (axis == 0 ? length : width) / 2; }

static bool is_free(const mobile_robot *m, const double place[2]) {
  for (int axis = 0; axis < dimensions(m); axis++)
    if (place[axis] < margin(axis) || place[axis] > side - margin(axis)) return false;
  return true;
}

/* ---- life ---- */

static deer_status init(deer_env *self, const deer_rng *rng) {
  enum { STEPS = 250, STEPS_TWO_TARGETS = 1500 };
  mobile_robot *m = (mobile_robot *)self;
  (void)rng;
  int n = dimensions(m), size = (int)m->image_size;
  self->space = (deer_space){.n_subjects = 1, .actions = {.n = 2 * n, .size = 1}};
  self->space.subjects[0] =
      m->state == IMAGE ? (deer_subject){1, DEER_SHAPE(3 * n_views(m), size, size), DEER_DTYPE_U8}
                        : (deer_subject){1, DEER_SHAPE(n), DEER_DTYPE_REAL};
  if (m->continuous)
    self->space.actions = (deer_action_space){.size = n, .low = {-1, -1}, .high = {1, 1}};
  self->picture_width = n_views(m) * size;
  self->picture_height = size;
  if (self->max_steps == 0) self->max_steps = m->task == TWO_TARGETS ? STEPS_TWO_TARGETS : STEPS;
  if (m->start_state.n > 0 && !is_free(m, m->start_state.at))
    return deer_fail(DEER_EINVAL,
                     "mobile_robot: start_state: expected x of %g to %g and y of %g to %g, between "
                     "the walls",
                     margin(0), side - margin(0), margin(1), side - margin(1));
  if (m->state == IMAGE && !(m->canvas = deer_canvas_new(self->picture_width, size)))
    return DEER_ENOMEM;
  return DEER_OK;
}

static void finish(deer_env *self) { deer_canvas_free(((mobile_robot *)self)->canvas); }

static double between(deer_rng *rng, double low, double high) {
  return low + (high - low) * deer_rng_uniform(rng);
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  static const double targets[MOST_TARGETS][2] = {{3.6, 3}, {0.4, 3}};
  mobile_robot *m = (mobile_robot *)self;
  deer_rng *rng = deer_env_rng(self);
  (void)mode, (void)history; /* nothing came before */
  memset(m->robot, 0, sizeof m->robot);
  memcpy(m->target, targets, sizeof targets);
  for (int axis = 0; axis < dimensions(m); axis++)
    m->robot[axis] = between(rng, side / 2 - side / 3, side / 2 + side / 3);
  if (m->start_state.n > 0) memcpy(m->robot, m->start_state.at, sizeof m->robot);
  for (int i = 0; i < n_targets(m) && m->random_target; i++)
    for (int axis = 0; axis < 2; axis++) m->target[i][axis] = between(rng, 0.1 * side, 0.9 * side);
  m->current = 0;
  return DEER_OK;
}

/* ---- a step ---- */

static double distance(const mobile_robot *m) {
  const double *target = m->target[m->current];
  double x = m->robot[0] - target[0], y = m->robot[1] - target[1];
  return m->task == ONE_D || m->task == LINE ? fabs(x) : sqrt(x * x + y * y);
}

/* whether it could be made */
static bool step(mobile_robot *m, const deer_real *action) {
  double place[2] = {m->robot[0], m->robot[1]};
  if (m->continuous) {
    for (int axis = 0; axis < dimensions(m); axis++) place[axis] += stride * (double)action[axis];
  } else {
    int direction = (int)*action; /* down and up along x, then along y */
    place[direction / 2] += direction % 2 ? stride : -stride;
  }
  if (!is_free(m, place)) return false;
  memcpy(m->robot, place, sizeof place);
  return true;
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  mobile_robot *m = (mobile_robot *)self;
  bool stepped = step(m, action);
  double far = distance(m);
  bool there = far <= (m->task == LINE ? near_line : near);
  if (there && m->current + 1 < n_targets(m)) m->current++;
  *reward = m->shape_reward ? -far : !stepped ? -1 : there;
  return DEER_OK;
}

/* ---- from above ---- */

static const deer_color grey = {150, 155, 160, 255}, dark = {45, 55, 72, 255},
                        yellow = {240, 200, 80, 255}, sky = {205, 218, 232, 255};
static const deer_color walls[] = {
    {204, 60, 60, 255}, {70, 160, 80, 255}, {60, 90, 190, 255}, {225, 228, 232, 255}};
static const deer_color targets[MOST_TARGETS] = {{204, 77, 77, 255}, {78, 135, 190, 255}};
static const double radius = 0.2, half_line = 0.05; /* of targets */

/* a square of the canvas, which has the height of the canvas */
typedef struct view {
  deer_canvas *canvas;
  double left, size;
} view;

/* in one dimension everything is in the middle */
static double sideways(const mobile_robot *m, double y) { return m->task == ONE_D ? side / 2 : y; }

static double scale_of(const view *v) { return v->size / (side + 0.4); }

static deer_xy place_on(const view *v, double x, double y) {
  return (deer_xy){v->left + scale_of(v) * (y + 0.2), scale_of(v) * (x + 0.2)};
}

static void fill_box(const view *v, const double from[2], const double to[2], deer_color color) {
  deer_xy corner = place_on(v, from[0], from[1]), other = place_on(v, to[0], to[1]);
  deer_rect box = {corner.x, corner.y, other.x - corner.x, other.y - corner.y};
  deer_canvas_rect(v->canvas, box, color);
}

static void draw_walls(const view *v) {
  const double thick = 0.1, s = side;
  const double boxes[][2][2] = {{{-thick, -thick}, {s + thick, 0}},
                                {{-thick, s}, {s + thick, s + thick}},
                                {{-thick, 0}, {0, s}},
                                {{s, 0}, {s + thick, s}}};
  for (int i = 0; i < 4; i++) fill_box(v, boxes[i][0], boxes[i][1], walls[i]);
}

static void draw_from_above(const mobile_robot *m, const view *v) {
  double x = m->robot[0], y = sideways(m, m->robot[1]);
  deer_canvas_fill(v->canvas, grey);
  draw_walls(v);
  if (m->task == LINE) {
    double middle = m->target[0][0];
    fill_box(v, (double[]){middle - half_line, 0}, (double[]){middle + half_line, side}, yellow);
  }
  for (int i = 0; i < n_targets(m) && m->task != LINE; i++) {
    deer_xy at = place_on(v, m->target[i][0], sideways(m, m->target[i][1]));
    deer_canvas_circle(v->canvas, at, radius * scale_of(v), targets[i]);
  }
  double from[] = {x - length / 2, y - width / 2}, to[] = {x + length / 2, y + width / 2};
  fill_box(v, from, to, dark);
  deer_canvas_circle(v->canvas, place_on(v, x + 0.2, y), 0.06 * scale_of(v), yellow);
}

/* ---- from the robot ----
 * S-RL Toolbox's camera, 17 degrees down and 90 wide, but turned round: theirs looks away from
 * where the target is. What is nearer is drawn later. */

enum { MOST_CORNERS = 16 };

typedef struct point {
  double x, y, z; /* z is up */
} point;

typedef struct camera {
  view view;
  point at;
} camera;

/* the same point in the camera's directions: to the right, up, ahead */
static point turn(const camera *c, point p) {
  static const double sine = 0.29237170472273677, cosine = 0.95630475596303548; /* of 17 degrees */
  double ahead = p.x - c->at.x, up = p.z - c->at.z;
  return (point){c->at.y - p.y, sine * ahead + cosine * up, cosine * ahead - sine * up};
}

/* where the way from a to b comes to the plane before which nothing is seen */
static const double nearest = 0.02;
static point cut(point a, point b) {
  double share = (nearest - a.z) / (b.z - a.z);
  return (point){a.x + share * (b.x - a.x), a.y + share * (b.y - a.y), nearest};
}

/* a flat face with n corners */
static void draw_face(const camera *c, const point *corners, int n, deer_color color) {
  deer_xy outline[2 * MOST_CORNERS];
  double half = c->view.size / 2;
  size_t k = 0;
  for (int i = 0; i < n; i++) {
    point a = turn(c, corners[i]), b = turn(c, corners[(i + 1) % n]), seen[2];
    int m = 0;
    if (a.z >= nearest) seen[m++] = a;
    if ((a.z >= nearest) != (b.z >= nearest)) seen[m++] = cut(a, b);
    for (int j = 0; j < m; j++)
      outline[k++] = (deer_xy){c->view.left + half * (1 + seen[j].x / seen[j].z),
                               half * (1 - seen[j].y / seen[j].z)};
  }
  if (k > 2) deer_canvas_polygon(c->view.canvas, outline, k, color);
}

/* a low pillar: its side of rectangles, then its top, which is below the camera */
static void draw_pillar(const camera *c, double x, double y, deer_color color) {
  static const double pi = 3.14159265358979323846, height = 0.1;
  point foot[MOST_CORNERS], top[MOST_CORNERS];
  deer_color shade = {(uint8_t)(color.r * 3 / 4), (uint8_t)(color.g * 3 / 4),
                      (uint8_t)(color.b * 3 / 4), 255};
  for (int i = 0; i < MOST_CORNERS; i++) {
    double angle = 2 * pi * i / MOST_CORNERS;
    foot[i] = top[i] = (point){x + radius * cos(angle), y + radius * sin(angle), 0};
    top[i].z = height;
  }
  for (int i = 0; i < MOST_CORNERS; i++) {
    int next = (i + 1) % MOST_CORNERS;
    point rectangle[] = {foot[i], foot[next], top[next], top[i]};
    draw_face(c, rectangle, 4, shade);
  }
  draw_face(c, top, MOST_CORNERS, color);
}

static void draw_arena(const camera *c) {
  const double s = side, high = 0.3;
  const point ground[] = {{0, 0, 0}, {s, 0, 0}, {s, s, 0}, {0, s, 0}};
  static const int ends[4][2] = {{0, 1}, {2, 3}, {3, 0}, {1, 2}};
  deer_canvas_fill(c->view.canvas, sky);
  draw_face(c, ground, 4, grey);
  for (int i = 0; i < 4; i++) {
    point from = ground[ends[i][0]], to = ground[ends[i][1]];
    point wall[] = {from, to, {to.x, to.y, high}, {from.x, from.y, high}};
    draw_face(c, wall, 4, walls[i]);
  }
}

static void draw_first_person(const mobile_robot *m, const view *v) {
  const camera c = {*v, {m->robot[0], sideways(m, m->robot[1]), 0.25}};
  draw_arena(&c);
  if (m->task == LINE) {
    double from = m->target[0][0] - half_line, to = m->target[0][0] + half_line;
    const point line[] = {{from, 0, 0}, {to, 0, 0}, {to, side, 0}, {from, side, 0}};
    draw_face(&c, line, 4, yellow);
    return;
  }
  int farthest = n_targets(m) == 2 && m->target[1][0] > m->target[0][0];
  for (int k = 0; k < n_targets(m); k++) {
    int i = k ^ farthest;
    draw_pillar(&c, m->target[i][0], sideways(m, m->target[i][1]), targets[i]);
  }
}

/* ---- what is seen ---- */

static void draw(const mobile_robot *m, deer_canvas *canvas) {
  const double size = deer_canvas_height(canvas);
  const view above = {canvas, 0, size}, ahead = {canvas, size, size};
  draw_from_above(m, &above);
  if (!m->first_person) return;
  deer_canvas_clip(canvas, (deer_rect){size, 0, size, size});
  draw_first_person(m, &ahead);
  deer_canvas_unclip(canvas);
}

/* the channels of the picture from above, then those of the other one */
static void observe_image(mobile_robot *m, uint8_t *o) {
  size_t size = (size_t)m->image_size, line = size * (size_t)n_views(m);
  draw(m, m->canvas);
  const uint8_t *pixels = deer_canvas_pixels(m->canvas);
  for (size_t row = 0; row < size; row++)
    for (size_t column = 0; column < line; column++)
      for (size_t c = 0; c < 3; c++)
        o[((column / size * 3 + c) * size + row) * size + column % size] =
            pixels[3 * (row * line + column) + c];
}

static deer_status observe(deer_env *self, void *const *observation) {
  mobile_robot *m = (mobile_robot *)self;
  const double *target = m->target[m->current];
  if (m->state == IMAGE) {
    observe_image(m, observation[0]);
    return DEER_OK;
  }
  deer_real *o = observation[0];
  for (int axis = 0; axis < dimensions(m); axis++) {
    /* a line is at no place along itself */
    bool from = m->state == RELATIVE && !(m->task == LINE && axis == 1);
    o[axis] = (deer_real)(m->robot[axis] - (from ? target[axis] : 0));
  }
  return DEER_OK;
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  draw((const mobile_robot *)self, canvas);
  return DEER_OK;
}

const deer_env_class deer_env_mobile_robot = {
    .abi = DEER_ENV_ABI,
    .name = "mobile_robot",
    .help = "drive to a target; 1 for every step there, minus 1 for one into a wall",
    .size = sizeof(mobile_robot),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = act,
    .observe = observe,
    .render = render,
    .finish = finish};
