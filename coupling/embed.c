/* The public C functions of liblandstep. Python answers them through the landstep_py_* functions,
 * which embed_build.py declares above this text from landstep.h. What stands here keeps the host
 * safe: see landstep.h for what it promises.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <fenv.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#pragma GCC visibility push(default)
#include "landstep.h"
#pragma GCC visibility pop

#ifndef LANDSTEP_PYTHON_DEFAULT
#define LANDSTEP_PYTHON_DEFAULT ""
#endif

/* What our Python returns on success; cffi itself answers 0 when Python could not be reached. */
enum { PYTHON_DONE = 0x4c53, MESSAGE_SIZE = 4096, PARENTS_OF_LIBRARY = 6 };

static int cffi_start_python(void);

static _Thread_local char last_error[MESSAGE_SIZE];

/* ---- messages ---- */

/* Length of the longest prefix of text that fits size - 1 bytes and splits no UTF-8 character. */
static size_t whole_characters(const char *text, size_t length, size_t size) {
  if (size == 0) return 0;
  if (length < size) return length;
  length = size - 1;
  while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
  return length;
}

static int fail(int status, const char *text) {
  size_t length = whole_characters(text, strlen(text), sizeof last_error);
  memmove(last_error, text, length);
  last_error[length] = 0;
  return status;
}

int landstep_last_error(char *text, int size) {
  size_t length = strlen(last_error);
  if (text && size > 0) {
    size_t kept = whole_characters(last_error, length, (size_t)size);
    memcpy(text, last_error, kept);
    text[kept] = 0;
  }
  return (int)length;
}

int landstep_abi(void) { return LANDSTEP_ABI; }

/* ---- the guard around every entry ---- */

typedef struct {
  fenv_t environment;
#if defined(__SSE__)
  unsigned int mxcsr;
#endif
  PyThreadState *python_thread;
} guard;

/* Default floating point (no traps, to nearest, no flush-to-zero), and no GIL held: two threads
 * that came from Python would otherwise wait for each other. */
static void enter(guard *g) {
  fegetenv(&g->environment);
#if defined(__SSE__)
  g->mxcsr = _mm_getcsr();
#endif
  fesetenv(FE_DFL_ENV);
#if defined(__SSE__)
  _mm_setcsr(0x1F80);
#endif
  g->python_thread = Py_IsInitialized() && PyGILState_Check() ? PyEval_SaveThread() : NULL;
}

static void leave(const guard *g) {
  if (g->python_thread) PyEval_RestoreThread(g->python_thread);
  fesetenv(&g->environment);
#if defined(__SSE__)
  _mm_setcsr(g->mxcsr);
#endif
}

/* ---- starting Python ---- */

static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER;
static enum { NOT_STARTED, READY, FAILED } start_state = NOT_STARTED;
static pid_t start_process = 0;
static char start_message[MESSAGE_SIZE];

/* PREFIX/lib/pythonX.Y/site-packages/landstep/lib/liblandstep.so -> PREFIX/bin/python3 */
static int own_python(char *path, size_t size) {
  Dl_info info;
  char library[PATH_MAX];
  int i;
  if (!dladdr((void *)&start_lock, &info) || !info.dli_fname) return 0;
  if (!realpath(info.dli_fname, library)) return 0;
  for (i = 0; i < PARENTS_OF_LIBRARY; i++) {
    char *slash = strrchr(library, '/');
    if (!slash) return 0;
    *slash = 0;
  }
  if (snprintf(path, size, "%s/bin/python3", library) >= (int)size) return 0;
  return access(path, X_OK) == 0;
}

/* Which python3 to be; false, with start_message, where the one asked for is not there. */
static int choose_python(char *path, size_t size) {
  const char *asked = getenv("LANDSTEP_PYTHON");
  if (asked && *asked) {
    if (access(asked, X_OK) != 0) {
      snprintf(start_message, sizeof start_message,
               "LANDSTEP_PYTHON=%s is not a program; set it to the python3 of the environment "
               "where landstep is installed", asked);
      return 0;
    }
    return snprintf(path, size, "%s", asked) < (int)size;
  }
  if (own_python(path, size)) return 1;
  snprintf(path, size, "%s", LANDSTEP_PYTHON_DEFAULT);
  if (access(path, X_OK) != 0) path[0] = 0;
  return 1;
}

/* Extension modules look for Python's symbols globally, also where the host loaded us locally. */
static void show_libpython(void) {
  Dl_info info;
  if (dladdr((void *)&PyType_Type, &info) && info.dli_fname)
    (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_GLOBAL | RTLD_NOLOAD);
}

static int start_interpreter(const char *python) {
  PyPreConfig before;
  PyConfig config;
  PyStatus status;
  PyPreConfig_InitPythonConfig(&before);
  before.configure_locale = 0; /* the locale is the host's */
  before.coerce_c_locale = 0;
  before.utf8_mode = 1;
  before.parse_argv = 0;
  status = Py_PreInitialize(&before);
  if (!PyStatus_Exception(status)) {
    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    config.parse_argv = 0;
    config.safe_path = 1;
    if (*python) status = PyConfig_SetBytesString(&config, &config.executable, python);
    if (!PyStatus_Exception(status)) /* a warning would be printed */
      status = PyWideStringList_Append(&config.warnoptions, L"ignore");
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
  }
  if (PyStatus_Exception(status)) {
    snprintf(start_message, sizeof start_message, "cannot start Python (%s): %s", python,
             status.err_msg ? status.err_msg : "it asked to exit");
    return 0;
  }
  PyEval_SaveThread();
  return 1;
}

/* Import what cffi's own start would import: cffi prints a failure, this one keeps it. */
static int import_bridge(const char *python) {
  static const char *const modules[] = {"signal", "_cffi_backend", "landstep.coupling.bridge"};
  PyGILState_STATE gil = PyGILState_Ensure();
  size_t i;
  int done = 1;
  for (i = 0; done && i < sizeof modules / sizeof *modules; i++) {
    PyObject *module = PyImport_ImportModule(modules[i]);
    if (!module) {
      PyObject *type = NULL, *value = NULL, *trace = NULL, *text = NULL;
      const char *reason = NULL;
      PyErr_Fetch(&type, &value, &trace);
      if (value) text = PyObject_Str(value);
      if (text) reason = PyUnicode_AsUTF8(text);
      snprintf(start_message, sizeof start_message,
               "cannot import %s with %s: %s; set LANDSTEP_PYTHON to the python3 of the "
               "environment where landstep is installed", modules[i],
               *python ? python : "the embedded Python", reason ? reason : "no reason given");
      Py_XDECREF(text);
      Py_XDECREF(type);
      Py_XDECREF(value);
      Py_XDECREF(trace);
      PyErr_Clear();
      done = 0;
    }
    Py_XDECREF(module);
  }
  PyType_Modified(&PyCapsule_Type); /* cffi waits for ever where its version tag is set */
  PyGILState_Release(gil);
  return done;
}

static int start_once(void) {
  char python[PATH_MAX] = "";
  if (!Py_IsInitialized()) {
    struct sigaction interrupt;
    int done;
    if (!choose_python(python, sizeof python)) return 0;
    show_libpython();
    sigaction(SIGINT, NULL, &interrupt);
    done = start_interpreter(python) && import_bridge(python);
    sigaction(SIGINT, &interrupt, NULL); /* the first import of signal takes it */
    if (!done) return 0;
  } else if (!import_bridge(python)) {
    return 0;
  }
  if (cffi_start_python() != 0) {
    snprintf(start_message, sizeof start_message, "cffi could not connect to Python");
    return 0;
  }
  if (landstep_py_abi() != LANDSTEP_ABI) {
    snprintf(start_message, sizeof start_message,
             "the Python package has interface version %d, the library %d: reinstall landstep",
             landstep_py_abi(), LANDSTEP_ABI);
    return 0;
  }
  return 1;
}

static int not_usable_after_fork(void) {
  return fail(LANDSTEP_COUPLING_ERROR,
              "handle not usable after fork: landstep was started in the parent process");
}

static int start(void) {
  int status = LANDSTEP_OK;
  if (start_process && start_process != getpid()) return not_usable_after_fork();
  pthread_mutex_lock(&start_lock);
  if (start_state == NOT_STARTED) {
    start_process = getpid();
    start_state = start_once() ? READY : FAILED;
  }
  if (start_state == FAILED) status = fail(LANDSTEP_DEPENDENCY_ERROR, start_message);
  pthread_mutex_unlock(&start_lock);
  return status;
}

/* A call with a handle needs a started Python: only landstep_open starts it. */
static int started(void) {
  if (start_process && start_process != getpid()) return not_usable_after_fork();
  if (start_state != READY)
    return fail(LANDSTEP_STEP_ERROR, "no handle is open: call landstep_open first");
  return LANDSTEP_OK;
}

static int from_python(int answer) {
  if (answer == PYTHON_DONE) return LANDSTEP_OK;
  if (answer > LANDSTEP_OK && answer <= LANDSTEP_DEPENDENCY_ERROR) return answer;
  return fail(LANDSTEP_ERROR, "the call did not reach Python");
}

/* ---- the public functions ---- */

#define NEED(pointer)                                                        \
  if (!(pointer)) return fail(LANDSTEP_COUPLING_ERROR, #pointer " is a null pointer")
#define GUARDED(prepare, call)                                               \
  guard g;                                                                   \
  int status;                                                                \
  enter(&g);                                                                 \
  status = prepare;                                                          \
  if (status == LANDSTEP_OK) status = from_python(call);                     \
  leave(&g);                                                                 \
  return status

int landstep_open(const char *experiment, long long n_points, const double *lon_deg,
                  const double *lat_deg, const double *lon_bounds_deg,
                  const double *lat_bounds_deg, const int *year, const char *restart,
                  int *handle) {
  NEED(experiment);
  NEED(lon_deg);
  NEED(lat_deg);
  NEED(handle);
  GUARDED(start(), landstep_py_open(experiment, n_points, lon_deg, lat_deg, lon_bounds_deg,
                                    lat_bounds_deg, year, restart, handle, last_error,
                                    MESSAGE_SIZE));
}

int landstep_update(int handle, int year, int month, int day, int *changed) {
  NEED(changed);
  GUARDED(started(), landstep_py_update(handle, year, month, day, changed, last_error,
                                        MESSAGE_SIZE));
}

int landstep_get(int handle, const char *name, double *values, long long n_values) {
  NEED(name);
  NEED(values);
  GUARDED(started(), landstep_py_get(handle, name, values, n_values, last_error, MESSAGE_SIZE));
}

int landstep_get_float(int handle, const char *name, float *values, long long n_values) {
  NEED(name);
  NEED(values);
  GUARDED(started(), landstep_py_get_float(handle, name, values, n_values, last_error,
                                           MESSAGE_SIZE));
}

int landstep_write_restart(int handle, const char *path) {
  NEED(path);
  GUARDED(started(), landstep_py_write_restart(handle, path, last_error, MESSAGE_SIZE));
}

int landstep_close(int handle) {
  GUARDED(started(), landstep_py_close(handle, last_error, MESSAGE_SIZE));
}
