/* canvas.c: deer.Canvas, the Lua face of io/canvas.h and io/png.h. Colours come as "#rrggbb",
 * "#rrggbbaa" or {r, g, b, a} with whole numbers of 0 to 255; coordinates as in canvas.h. */
#include "bind/core.h"

#include <string.h>

#define CANVAS "deer.Canvas"

typedef struct canvas_box {
  deer_canvas *canvas; // NULL when closed
} canvas_box;

/* The canvas that is argument 1; raises when it is closed or something else. */
static deer_canvas *check_canvas(lua_State *L) {
  canvas_box *box = luaL_checkudata(L, 1, CANVAS);
  luaL_argcheck(L, box->canvas, 1, "canvas is closed");
  return box->canvas;
}

/* ---- colours ---- */

/* The value of n hexadecimal digits, -1 when there is another character among them. */
static int hex(const char *digits, int n) {
  static const char all[] = "0123456789abcdef0123456789ABCDEF";
  int value = 0;
  for (int i = 0; i < n; i++) {
    const char *at = digits[i] ? strchr(all, digits[i]) : NULL;
    if (!at) return -1;
    value = value * 16 + (int)(at - all) % 16;
  }
  return value;
}

/* "#rrggbb" or "#rrggbbaa"; false when it is something else. */
static bool text_color(const char *text, deer_color *color) {
  size_t length = strlen(text);
  if (text[0] != '#' || (length != 7 && length != 9)) return false;
  int part[4] = {0, 0, 0, 255};
  for (size_t i = 0; 1 + 2 * i < length; i++)
    if ((part[i] = hex(text + 1 + 2 * i, 2)) < 0) return false;
  *color = (deer_color){(uint8_t)part[0], (uint8_t)part[1], (uint8_t)part[2], (uint8_t)part[3]};
  return true;
}

/* {r, g, b} or {r, g, b, a}; false when it is something else. */
static bool table_color(lua_State *L, int index, deer_color *color) {
  lua_Integer part[4] = {0, 0, 0, 255}, n = (lua_Integer)lua_rawlen(L, index);
  if (n != 3 && n != 4) return false;
  for (lua_Integer i = 0; i < n; i++) {
    int whole = lua_rawgeti(L, index, i + 1) == LUA_TNUMBER;
    if (whole) part[i] = lua_tointegerx(L, -1, &whole);
    lua_pop(L, 1);
    if (!whole || part[i] < 0 || part[i] > 255) return false;
  }
  *color = (deer_color){(uint8_t)part[0], (uint8_t)part[1], (uint8_t)part[2], (uint8_t)part[3]};
  return true;
}

/* The colour at `index` of the stack, which belongs to argument `arg`; raises when it is none. */
static deer_color check_color(lua_State *L, int index, int arg) {
  deer_color color = {0, 0, 0, 255};
  int type = lua_type(L, index);
  bool good = (type == LUA_TSTRING && text_color(lua_tostring(L, index), &color)) ||
              (type == LUA_TTABLE && table_color(L, index, &color));
  if (good) return color;
  const char *got = type == LUA_TSTRING ? lua_tostring(L, index) : luaL_typename(L, index);
  luaL_argerror(
      L, arg,
      lua_pushfstring(L, "colour \"#rrggbb\" or {r, g, b, a} of 0 to 255 expected, got %s", got));
  return color;
}

/* ---- life ---- */

/* new(width, height): a white canvas. */
static int canvas_new(lua_State *L) {
  lua_Integer width = luaL_checkinteger(L, 1), height = luaL_checkinteger(L, 2);
  luaL_argcheck(L, width >= 1 && width <= 16384, 1, "width of 1 to 16384 expected");
  luaL_argcheck(L, height >= 1 && height <= 16384, 2, "height of 1 to 16384 expected");
  canvas_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->canvas = NULL;
  luaL_setmetatable(L, CANVAS);
  box->canvas = deer_canvas_new((int)width, (int)height);
  return box->canvas ? 1 : deer_throw(L, DEER_ENOMEM);
}

/* close(), also when collected or leaving its scope. */
static int canvas_close(lua_State *L) {
  canvas_box *box = luaL_checkudata(L, 1, CANVAS);
  deer_canvas_free(box->canvas);
  box->canvas = NULL;
  return 0;
}

/* ---- what it holds ---- */

/* size(): width, height. */
static int canvas_size(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  lua_pushinteger(L, deer_canvas_width(canvas));
  lua_pushinteger(L, deer_canvas_height(canvas));
  return 2;
}

/* rgb(): height x width x 3 bytes. */
static int canvas_rgb(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  size_t area = (size_t)deer_canvas_width(canvas) * (size_t)deer_canvas_height(canvas);
  lua_pushlstring(L, (const char *)deer_canvas_pixels(canvas), area * 3);
  return 1;
}

/* picture(): the same as a tensor of bytes {height, width, 3}, what render of an environment gives.
 */
static int canvas_picture(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  deer_shape shape = DEER_SHAPE(deer_canvas_height(canvas), deer_canvas_width(canvas), 3);
  deer_tensor *picture = deer_lua_new_tensor(L, DEER_DTYPE_U8, &shape);
  memcpy(picture->data, deer_canvas_pixels(canvas), deer_shape_count(&shape));
  return 1;
}

/* save(path): true, or nil and why it could not be written. */
static int canvas_save(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  const char *path = luaL_checkstring(L, 2);
  deer_image image = {deer_canvas_pixels(canvas), deer_canvas_width(canvas),
                      deer_canvas_height(canvas), 3};
  return deer_push_result(L, deer_png_write(path, &image));
}

/* ---- drawing ---- */

/* The rectangle in arguments 2 to 5. */
static deer_rect check_rect(lua_State *L) {
  return (deer_rect){luaL_checknumber(L, 2), luaL_checknumber(L, 3), luaL_checknumber(L, 4),
                     luaL_checknumber(L, 5)};
}

/* clip(x, y, w, h), or clip() for the whole canvas. */
static int canvas_clip(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  if (lua_isnoneornil(L, 2))
    deer_canvas_unclip(canvas);
  else
    deer_canvas_clip(canvas, check_rect(L));
  return 0;
}

/* fill(color) */
static int canvas_fill(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  deer_canvas_fill(canvas, check_color(L, 2, 2));
  return 0;
}

/* rect(x, y, w, h, color) */
static int canvas_rect(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  deer_rect rect = check_rect(L);
  deer_canvas_rect(canvas, rect, check_color(L, 6, 6));
  return 0;
}

deer_image deer_lua_check_image(lua_State *L, int arg) {
  const deer_tensor *t = deer_lua_to_tensor(L, arg);
  if (t && t->dtype == DEER_DTYPE_U8 && t->shape.rank == 3 && t->shape.dim[2] == 3)
    return (deer_image){t->data, t->shape.dim[1], t->shape.dim[0], 3};
  char got[DEER_DESCRIBE];
  deer_lua_describe(L, arg, got);
  const char *message =
      lua_pushfstring(L, "tensor of bytes {rows, columns, 3} expected, got %s", got);
  deer_lua_bad_argument(L, arg, message);
  return (deer_image){0};
}

/* image(x, y, picture) */
static int canvas_image(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  deer_xy corner = {luaL_checknumber(L, 2), luaL_checknumber(L, 3)};
  const deer_image image = deer_lua_check_image(L, 4);
  deer_canvas_image(canvas, corner, &image);
  return 0;
}

/* line(x0, y0, x1, y1, color, width = 1) */
static int canvas_line(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  deer_xy ends[] = {{luaL_checknumber(L, 2), luaL_checknumber(L, 3)},
                    {luaL_checknumber(L, 4), luaL_checknumber(L, 5)}};
  deer_stroke stroke = {.width = luaL_optnumber(L, 7, 1), .color = check_color(L, 6, 6)};
  deer_canvas_polyline(canvas, ends, 2, stroke);
  return 0;
}

/* circle(x, y, radius, color) */
static int canvas_circle(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  deer_xy center = {luaL_checknumber(L, 2), luaL_checknumber(L, 3)};
  double radius = luaL_checknumber(L, 4);
  deer_canvas_circle(canvas, center, radius, check_color(L, 5, 5));
  return 0;
}

/* marker(shape, x, y, size, color, edge_color, edge_width = 1) */
static int canvas_marker(lua_State *L) {
  static const char *const shapes[] = {"circle", "square", "triangle", "diamond", NULL};
  deer_canvas *canvas = check_canvas(L);
  deer_marker marker = {.shape = (deer_marker_shape)luaL_checkoption(L, 2, NULL, shapes)};
  deer_xy center = {luaL_checknumber(L, 3), luaL_checknumber(L, 4)};
  marker.size = luaL_checknumber(L, 5);
  marker.fill = check_color(L, 6, 6);
  // the outline: its colour, then its width
  if (!lua_isnoneornil(L, 7)) {
    marker.edge = check_color(L, 7, 7);
    marker.edge_width = luaL_optnumber(L, 8, 1);
  }
  deer_canvas_marker(canvas, center, &marker);
  return 0;
}

/* One coordinate of each of the n points, from the list that is argument `arg`. */
static void read_coordinates(lua_State *L, int arg, size_t n, double *to) {
  for (size_t i = 0; i < n; i++) {
    if (lua_rawgeti(L, arg, (lua_Integer)i + 1) != LUA_TNUMBER)
      luaL_argerror(L, arg,
                    lua_pushfstring(L, "element %d: number expected, got %s", (int)i + 1,
                                    luaL_typename(L, -1)));
    to[i * (sizeof(deer_xy) / sizeof *to)] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
}

/* The points of arguments 2 (list of x) and 3 (list of y), in a userdata left on the stack. */
static deer_xy *check_points(lua_State *L, size_t *n) {
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  *n = lua_rawlen(L, 2);
  luaL_argcheck(L, lua_rawlen(L, 3) == *n, 3, "as many y as x expected");
  deer_xy *points = lua_newuserdatauv(L, *n * sizeof *points, 0);
  read_coordinates(L, 2, *n, &points->x);
  read_coordinates(L, 3, *n, &points->y);
  return points;
}

/* polyline(xs, ys, color, width = 1) */
static int canvas_polyline(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  size_t n;
  deer_stroke stroke = {.width = luaL_optnumber(L, 5, 1), .color = check_color(L, 4, 4)};
  const deer_xy *points = check_points(L, &n);
  deer_canvas_polyline(canvas, points, n, stroke);
  return 0;
}

/* polygon(xs, ys, color) */
static int canvas_polygon(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  size_t n;
  deer_color color = check_color(L, 4, 4);
  const deer_xy *points = check_points(L, &n);
  deer_canvas_polygon(canvas, points, n, color);
  return 0;
}

/* ---- text ---- */

/* The scale on top of the stack, an option of argument `arg`. */
static int check_scale(lua_State *L, int arg) {
  int whole;
  lua_Integer scale = lua_tointegerx(L, -1, &whole);
  if (!whole || scale < 1 || scale > 64)
    luaL_argerror(L, arg, "scale: whole number of 1 to 64 expected");
  return (int)scale;
}

/* The text options in the table that is argument `arg`: font, scale, vertical, color. */
static deer_text_style check_style(lua_State *L, int arg) {
  deer_text_style style = {DEER_FONT_SMALL, 1, false, {0, 0, 0, 255}};
  if (lua_isnoneornil(L, arg)) return style;
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_settop(L, arg);
  if (lua_getfield(L, arg, "font") != LUA_TNIL) {
    const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    style.font = strcmp(name, "large") == 0 ? DEER_FONT_LARGE : DEER_FONT_SMALL;
    if (style.font == DEER_FONT_SMALL && strcmp(name, "small") != 0)
      luaL_argerror(L, arg, "font: \"small\" or \"large\" expected");
  }
  if (lua_getfield(L, arg, "scale") != LUA_TNIL) style.scale = check_scale(L, arg);
  lua_getfield(L, arg, "vertical");
  style.vertical = lua_toboolean(L, -1);
  if (lua_getfield(L, arg, "color") != LUA_TNIL) style.color = check_color(L, lua_gettop(L), arg);
  return style;
}

/* text(x, y, text, { font, scale, vertical, color }) */
static int canvas_text(lua_State *L) {
  deer_canvas *canvas = check_canvas(L);
  deer_xy corner = {luaL_checknumber(L, 2), luaL_checknumber(L, 3)};
  const char *text = luaL_checkstring(L, 4);
  deer_text_style style = check_style(L, 5);
  deer_canvas_text(canvas, corner, text, &style);
  return 0;
}

/* textWidth(text, { font, scale }): width, height */
static int canvas_text_width(lua_State *L) {
  check_canvas(L);
  const char *text = luaL_checkstring(L, 2);
  deer_text_style style = check_style(L, 3);
  lua_pushinteger(L, deer_text_width(text, &style));
  lua_pushinteger(L, deer_text_height(&style));
  return 2;
}

static const luaL_Reg methods[] = {
    {"size", canvas_size},
    {"rgb", canvas_rgb},
    {"picture", canvas_picture},
    {"save", canvas_save},
    {"close", canvas_close},
    {"clip", canvas_clip},
    {"fill", canvas_fill},
    {"rect", canvas_rect},
    {"image", canvas_image},
    {"line", canvas_line},
    {"polyline", canvas_polyline},
    {"polygon", canvas_polygon},
    {"circle", canvas_circle},
    {"marker", canvas_marker},
    {"text", canvas_text},
    {"textWidth", canvas_text_width},
    {NULL, NULL},
};

/* The same function for all ends of its life. */
static const luaL_Reg metamethods[] = {
    {"__gc", canvas_close},
    {"__close", canvas_close},
    {NULL, NULL},
};

/* Pushes the module: { new = function(width, height) }. */
int deer_open_canvas(lua_State *L) {
  luaL_newmetatable(L, CANVAS);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, canvas_new);
  lua_setfield(L, -2, "new");
  return 1;
}
