/* The public functions of landstep.h. Each checks its pointers, makes the floating-point environment
 * a default one, asks for its answer (answers.h), and puts everything back.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fenv.h>
#include <stdio.h>
#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "answers.h"

#ifndef LANDSTEP_VERSION
#error "define LANDSTEP_VERSION, e.g. -DLANDSTEP_VERSION='\"0.1.0\"'"
#endif

static _Thread_local char last_error[LANDSTEP_MESSAGE_SIZE];

/* ---- texts ---- */

/* Length of the longest prefix of text that fits size - 1 bytes and splits no UTF-8 character. */
static size_t whole_characters(const char *text, size_t length, size_t size) {
  if (size == 0) return 0;
  if (length < size) return length;
  length = size - 1;
  while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
  return length;
}

static int copy_text(const char *from, char *text, int size) {
  size_t length = strlen(from);
  if (text && size > 0) {
    size_t kept = whole_characters(from, length, (size_t)size);
    memcpy(text, from, kept);
    text[kept] = 0;
  }
  return (int)length;
}

int landstep_fail(int status, const char *text) {
  size_t length = whole_characters(text, strlen(text), sizeof last_error);
  memmove(last_error, text, length);
  last_error[length] = 0;
  return status;
}

int landstep_last_error(char *text, int size) { return copy_text(last_error, text, size); }

int landstep_version(char *text, int size) { return copy_text(LANDSTEP_VERSION, text, size); }

int landstep_abi(void) { return LANDSTEP_ABI; }

/* ---- the guard around every call ---- */

typedef struct {
  fenv_t environment;
#if defined(__SSE__)
  unsigned int mxcsr;
#endif
  void *held;
} guard;

/* Default floating point: no traps, to nearest, no flush-to-zero. */
static void enter(guard *g) {
  fegetenv(&g->environment);
#if defined(__SSE__)
  g->mxcsr = _mm_getcsr();
#endif
  fesetenv(FE_DFL_ENV);
#if defined(__SSE__)
  _mm_setcsr(0x1F80);
#endif
  g->held = landstep_release();
}

static void leave(const guard *g) {
  landstep_reacquire(g->held);
  fesetenv(&g->environment);
#if defined(__SSE__)
  _mm_setcsr(g->mxcsr);
#endif
}

/* ---- checks ---- */

/* The Earth has 5.1e8 square kilometres. */
static const long long MOST_POINTS = 2147483647, MOST_VERTICES = 65536;

static int need(int status, const void *pointer, const char *what) {
  char text[80];
  if (status != LANDSTEP_OK || pointer) return status;
  snprintf(text, sizeof text, "%s is a null pointer", what);
  return landstep_fail(LANDSTEP_COUPLING_ERROR, text);
}

static int need_count(int status, long long count, const char *what) {
  char text[80];
  if (status != LANDSTEP_OK || count >= 0) return status;
  snprintf(text, sizeof text, "%s %lld is negative", what, count);
  return landstep_fail(LANDSTEP_COUPLING_ERROR, text);
}

/* A count that no host's memory holds would wrap around, or be read beyond the array's end. */
static int need_possible(int status, long long count, const char *what, long long most) {
  char text[160];
  if (status != LANDSTEP_OK || count <= most) return status;
  snprintf(text, sizeof text, "%s is %lld, expected at most %lld: was it set, and is it a 64-bit integer?",
           what, count, most);
  return landstep_fail(LANDSTEP_COUPLING_ERROR, text);
}

static int need_array(int status, const void *pointer, const char *what, long long n_values) {
  status = need_count(status, n_values, "n_values");
  status = need_possible(status, n_values, "n_values", MOST_POINTS);
  return n_values == 0 ? status : need(status, pointer, what);
}

/* Two outputs that share memory would overwrite each other. */
static int need_apart(int status, const void *a, const void *b, long long n_values, size_t size) {
  const char *one = a, *other = b;
  if (status != LANDSTEP_OK || n_values == 0) return status;
  if (one >= other + n_values * size || other >= one + n_values * size) return status;
  return landstep_fail(LANDSTEP_COUPLING_ERROR, "gain and loss share memory: two arrays are needed");
}

/* Without its arrays n_vertices would be left unread, and the host served without its cells. */
static int need_corners(int status, const landstep_points *points) {
  char text[200];
  if (status != LANDSTEP_OK || points->n_vertices == 0) return status;
  if (points->vertex_lon_deg || points->vertex_lat_deg) return status;
  snprintf(text, sizeof text,
           "n_vertices is %d, and points.vertex_lon_deg and points.vertex_lat_deg are null pointers: "
           "set both arrays of corners, or n_vertices to 0", points->n_vertices);
  return landstep_fail(LANDSTEP_COUPLING_ERROR, text);
}

static int need_points(int status, const landstep_points *points) {
  status = need(status, points, "points");
  if (status == LANDSTEP_OK && points->abi != LANDSTEP_ABI) {
    char text[200];
    snprintf(text, sizeof text,
             "points.abi is %d and liblandstep has interface version %d: set it to LANDSTEP_ABI, and "
             "compile the host with the landstep.h that was installed with the library",
             points->abi, LANDSTEP_ABI);
    return landstep_fail(LANDSTEP_DEPENDENCY_ERROR, text);
  }
  if (status != LANDSTEP_OK) return status;
  status = need_count(status, points->n_points, "n_points");
  status = need_count(status, points->n_vertices, "n_vertices");
  status = need_possible(status, points->n_points, "n_points", MOST_POINTS);
  if (points->vertex_lon_deg || points->vertex_lat_deg)
    status = need_possible(status, points->n_vertices, "n_vertices", MOST_VERTICES);
  if (points->n_points == 0) return status;
  status = need_corners(status, points);
  status = need(status, points->lon_deg, "points.lon_deg");
  return need(status, points->lat_deg, "points.lat_deg");
}

/* 0 or a status, from what the answer returned. */
static int answered(int returned) {
  if (returned == LANDSTEP_DONE) return LANDSTEP_OK;
  if (returned > LANDSTEP_OK && returned <= LANDSTEP_DEPENDENCY_ERROR) return returned;
  return landstep_fail(LANDSTEP_ERROR, "the call did not reach Python");
}

/* ---- the public functions ---- */

#define BEGIN(ready)                       \
  const landstep_answers *answers = NULL;  \
  guard g;                                 \
  int status;                              \
  enter(&g);                               \
  status = ready(&answers)
#define NEED(pointer) status = need(status, pointer, #pointer)
#define NEED_ARRAY(pointer) status = need_array(status, pointer, #pointer, n_values)
#define END(call)                                                      \
  if (status == LANDSTEP_OK) status = answered(answers->call);         \
  leave(&g);                                                           \
  return status

int landstep_open(const char *experiment, const landstep_points *points, int comm, const int *year,
                  const char *restart, const char *start, int *handle) {
  BEGIN(landstep_start);
  NEED(experiment);
  status = need_points(status, points);
  NEED(handle);
  END(open(experiment, points, comm, year, restart, start, handle));
}

/* Functions that differ in the kind of their arrays alone. */
#define OF_KIND(real, suffix)                                                                     \
  int landstep_baseline##suffix(int handle, const char *name, const real *values,                 \
                                long long n_values, int n_months) {                               \
    BEGIN(landstep_started);                                                                      \
    NEED(name);                                                                                   \
    NEED_ARRAY(values);                                                                           \
    END(baseline##suffix(handle, name, values, n_values, n_months));                              \
  }                                                                                               \
  int landstep_put##suffix(int handle, const char *name, const real *values, long long n_values,  \
                           const char *units) {                                                   \
    BEGIN(landstep_started);                                                                      \
    NEED(name);                                                                                   \
    NEED_ARRAY(values);                                                                           \
    END(put##suffix(handle, name, values, n_values, units));                                      \
  }                                                                                               \
  int landstep_get##suffix(int handle, const char *name, real *values, long long n_values) {      \
    BEGIN(landstep_started);                                                                      \
    NEED(name);                                                                                   \
    NEED_ARRAY(values);                                                                           \
    END(get##suffix(handle, name, values, n_values));                                             \
  }                                                                                               \
  int landstep_get_previous##suffix(int handle, const char *name, real *values,                   \
                                    long long n_values) {                                         \
    BEGIN(landstep_started);                                                                      \
    NEED(name);                                                                                   \
    NEED_ARRAY(values);                                                                           \
    END(get_previous##suffix(handle, name, values, n_values));                                    \
  }                                                                                               \
  int landstep_get_monthly##suffix(int handle, const char *name, real *values,                    \
                                   long long n_values, int n_months) {                            \
    BEGIN(landstep_started);                                                                      \
    NEED(name);                                                                                   \
    NEED_ARRAY(values);                                                                           \
    END(get_monthly##suffix(handle, name, values, n_values, n_months));                           \
  }                                                                                               \
  int landstep_add_change##suffix(int handle, const char *name, real *values,                     \
                                  long long n_values) {                                           \
    BEGIN(landstep_started);                                                                      \
    NEED(name);                                                                                   \
    NEED_ARRAY(values);                                                                           \
    END(add_change##suffix(handle, name, values, n_values));                                      \
  }                                                                                               \
  int landstep_get_transition##suffix(int handle, const char *from_class, const char *to_class,   \
                                      real *values, long long n_values) {                         \
    BEGIN(landstep_started);                                                                      \
    NEED(from_class);                                                                             \
    NEED(to_class);                                                                               \
    NEED_ARRAY(values);                                                                           \
    END(get_transition##suffix(handle, from_class, to_class, values, n_values));                  \
  }                                                                                               \
  int landstep_get_maximum##suffix(int handle, const char *name, real *values,                    \
                                   long long n_values, int last_year) {                           \
    BEGIN(landstep_started);                                                                      \
    NEED(name);                                                                                   \
    NEED_ARRAY(values);                                                                           \
    END(get_maximum##suffix(handle, name, values, n_values, last_year));                          \
  }                                                                                               \
  int landstep_get_change##suffix(int handle, const char *class_name, real *gain, real *loss,     \
                                  long long n_values) {                                           \
    BEGIN(landstep_started);                                                                      \
    NEED(class_name);                                                                             \
    NEED_ARRAY(gain);                                                                             \
    NEED_ARRAY(loss);                                                                             \
    status = need_apart(status, gain, loss, n_values, sizeof(real));                              \
    END(get_change##suffix(handle, class_name, gain, loss, n_values));                            \
  }
OF_KIND(double, )
OF_KIND(float, _float)

int landstep_update(int handle, int year, int month, int day, int *changed) {
  BEGIN(landstep_started);
  NEED(changed);
  END(update(handle, year, month, day, changed));
}

int landstep_changed(int handle, const char *name, int *changed) {
  BEGIN(landstep_started);
  NEED(name);
  NEED(changed);
  END(changed(handle, name, changed));
}

int landstep_get_coverage(int handle, int *served, int *without_land, int *cells_least,
                          double *cells_mean, int *cells_most) {
  BEGIN(landstep_started);
  NEED(served);
  NEED(without_land);
  NEED(cells_least);
  NEED(cells_mean);
  NEED(cells_most);
  END(get_coverage(handle, served, without_land, cells_least, cells_mean, cells_most));
}

int landstep_describe(int handle, const char *name, const char *attribute, char *text, int size) {
  BEGIN(landstep_started);
  NEED(name);
  NEED(attribute);
  NEED(text);
  END(describe(handle, name, attribute, text, size));
}

int landstep_field_count(int handle, int *count) {
  BEGIN(landstep_started);
  NEED(count);
  END(field_count(handle, count));
}

int landstep_field_name(int handle, int position, char *text, int size) {
  BEGIN(landstep_started);
  NEED(text);
  END(field_name(handle, position, text, size));
}

int landstep_write_restart(int handle, const char *path) {
  BEGIN(landstep_started);
  NEED(path);
  END(write_restart(handle, path));
}

int landstep_close(int handle) {
  BEGIN(landstep_started);
  END(close(handle));
}
