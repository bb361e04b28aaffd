/* video.c: deer.Video, the Lua face of io/video.h. */
#include "bind/core.h"

#define VIDEO "deer.Video"

typedef struct video_box {
  deer_video *video; // NULL when closed
} video_box;

/* The film that is argument 1; raises when it is closed or something else. */
static deer_video *check_video(lua_State *L) {
  video_box *box = luaL_checkudata(L, 1, VIDEO);
  if (!box->video) luaL_argerror(L, 1, "the film is closed");
  return box->video;
}

/* new(path, fps) */
static int video_new(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  double fps = luaL_checknumber(L, 2);
  video_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->video = NULL;
  luaL_setmetatable(L, VIDEO);
  deer_status status = deer_video_new(path, fps, &box->video);
  return status == DEER_OK ? 1 : deer_throw(L, status);
}

/* add(picture): a tensor of bytes {rows, columns, 3} */
static int video_add(lua_State *L) {
  deer_video *video = check_video(L);
  const deer_image image = deer_lua_check_image(L, 2);
  deer_status status = deer_video_add(video, &image);
  if (status != DEER_OK) return deer_throw(L, status);
  lua_settop(L, 1);
  return 1;
}

/* close(): the path of the file and, when it is not the one asked for, why; or nil and why it could
 * not be written. The film is gone in any case. */
static int video_close(lua_State *L) {
  video_box *box = luaL_checkudata(L, 1, VIDEO);
  deer_video *video = check_video(L);
  deer_status status = deer_video_write(video);
  if (status == DEER_EINTERRUPT) return deer_throw(L, status);
  if (status == DEER_OK)
    lua_pushstring(L, deer_video_path(video));
  else
    luaL_pushfail(L);
  const char *note = status == DEER_OK ? deer_video_note(video) : deer_error();
  if (note[0])
    lua_pushstring(L, note);
  else
    lua_pushnil(L);
  deer_video_free(video);
  box->video = NULL;
  return 2;
}

/* One that was not closed is not written: it is not complete. */
static int video_gc(lua_State *L) {
  video_box *box = luaL_checkudata(L, 1, VIDEO);
  deer_video_free(box->video);
  box->video = NULL;
  return 0;
}

static int video_length(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)deer_video_count(check_video(L)));
  return 1;
}

static const luaL_Reg methods[] = {{"add", video_add}, {"close", video_close}, {NULL, NULL}};
static const luaL_Reg events[] = {
    {"__gc", video_gc}, {"__close", video_gc}, {"__len", video_length}, {NULL, NULL}};

/* Pushes the function new. */
int deer_open_video(lua_State *L) {
  deer_lua_class(L, VIDEO, methods, events);
  lua_pushcfunction(L, video_new);
  return 1;
}
