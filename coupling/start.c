/* Python behind the public functions: started once, with a configuration of its own, and asked through
 * the landstep_py_* functions that embed_build.py declares above this text from landstep.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef LANDSTEP_PYTHON_DEFAULT
#define LANDSTEP_PYTHON_DEFAULT ""
#endif

/* PREFIX/lib/pythonX.Y/site-packages/landstep/lib/liblandstep.so */
enum { PREFIX_ABOVE_LIBRARY = 6, PACKAGES_ABOVE_LIBRARY = 3 };
enum { STANDARD_STREAMS = 3 };

static int cffi_start_python(void);

#define OF_PYTHON(name) .name = landstep_py_##name,
static const landstep_answers answers_of_python = {LANDSTEP_EACH_ANSWER(OF_PYTHON)};

/* ---- the lock of a caller that came from Python ---- */

/* Two threads that hold the GIL would otherwise wait for each other. */
void *landstep_release(void) {
  return Py_IsInitialized() && PyGILState_Check() ? PyEval_SaveThread() : NULL;
}

void landstep_reacquire(void *held) {
  if (held) PyEval_RestoreThread(held);
}

/* ---- starting Python ---- */

static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER;
enum { NOT_STARTED, READY, FAILED };
static atomic_int start_state = NOT_STARTED;
static atomic_int start_process = 0;
static char start_message[LANDSTEP_MESSAGE_SIZE];
static char library[PATH_MAX]; /* where this library lies; empty where that cannot be told */

/* When the library is loaded: a host may change its folder before the first call. */
__attribute__((constructor)) static void find_library(void) {
  Dl_info info;
  if (!dladdr((void *)&start_lock, &info) || !info.dli_fname || !realpath(info.dli_fname, library))
    library[0] = 0;
}

/* A path from the folder so many levels above the library, .../landstep/lib/liblandstep.so. */
static int above_library(int levels, const char *rest, char *path, size_t size) {
  char folder[PATH_MAX];
  snprintf(folder, sizeof folder, "%s", library);
  while (levels-- > 0) {
    char *slash = strrchr(folder, '/');
    if (!slash) return 0;
    *slash = 0;
  }
  return snprintf(path, size, "%s%s", folder, rest) < (int)size && access(path, R_OK) == 0;
}

/* The python3 of the environment that holds the library, where it lies in one. */
static int own_python(char *path, size_t size) {
  static const char *const folders[] = {"/site-packages", "/dist-packages"};
  char packages[PATH_MAX];
  size_t i;
  if (!above_library(PACKAGES_ABOVE_LIBRARY, "", packages, sizeof packages)) return 0;
  for (i = 0; i < sizeof folders / sizeof *folders; i++) {
    const char *last = strrchr(packages, '/');
    if (last && strcmp(last, folders[i]) == 0)
      return above_library(PREFIX_ABOVE_LIBRARY, "/bin/python3", path, size);
  }
  return 0;
}

/* Which python3 to be; false, with start_message, where the one asked for is not there. */
static int choose_python(char *path, size_t size, int *asked_for) {
  const char *asked = getenv("LANDSTEP_PYTHON");
  *asked_for = asked && *asked;
  if (*asked_for) {
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

/* A file of ours that took number 1 would be written into by the host's prints. */
static void hold_standard_streams(void) {
  int stream;
  for (stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
    if (fcntl(stream, F_GETFD) == -1) {
      int opened = open("/dev/null", O_RDWR);
      if (opened > STDERR_FILENO) close(opened); /* another thread was faster */
    }
  }
}

/* Python does not start where a standard stream is a folder, as batch systems may leave it: /dev/null
 * stands in its place until Python runs. kept: the host's folders, or -1. */
static void set_folders_aside(int kept[STANDARD_STREAMS]) {
  int stream;
  for (stream = STDIN_FILENO; stream < STANDARD_STREAMS; stream++) {
    struct stat found;
    int nothing;
    kept[stream] = -1;
    if (fstat(stream, &found) != 0 || !S_ISDIR(found.st_mode)) continue;
    nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing == -1) continue;
    kept[stream] = fcntl(stream, F_DUPFD_CLOEXEC, STANDARD_STREAMS);
    if (kept[stream] != -1) dup2(nothing, stream);
    close(nothing);
  }
}

static void put_folders_back(const int kept[STANDARD_STREAMS]) {
  int stream;
  for (stream = STDIN_FILENO; stream < STANDARD_STREAMS; stream++) {
    if (kept[stream] == -1) continue;
    dup2(kept[stream], stream);
    close(kept[stream]);
  }
}

/* The number of a standard stream may be that of a file of the host's: Python has no streams. */
static void drop_python_streams(void) {
  PySys_SetObject("stdin", Py_None);
  PySys_SetObject("stdout", Py_None);
  PySys_SetObject("stderr", Py_None);
}

/* The Python package beside the library comes first, wherever the Python is. */
static void prefer_own_package(void) {
  char package[PATH_MAX], folder[PATH_MAX];
  PyObject *path = PySys_GetObject("path"), *entry;
  if (!path || !above_library(PACKAGES_ABOVE_LIBRARY, "/landstep/coupling/bridge.py", package,
                              sizeof package))
    return;
  if (!above_library(PACKAGES_ABOVE_LIBRARY, "", folder, sizeof folder)) return;
  entry = PyUnicode_DecodeFSDefault(folder);
  if (entry && PySequence_Contains(path, entry) == 0) PyList_Insert(path, 0, entry);
  Py_XDECREF(entry);
  PyErr_Clear();
}

static int start_interpreter(const char *python, int asked_for) {
  PyPreConfig before;
  PyConfig config;
  PyStatus status;
  int folders[STANDARD_STREAMS];
  PyPreConfig_InitPythonConfig(&before);
  before.configure_locale = 0; /* the locale is the host's */
  before.coerce_c_locale = 0;
  before.utf8_mode = 1;
  before.parse_argv = 0;
  before.use_environment = 0; /* PYTHONHOME, PYTHONPATH: of the host's own Python */
  status = Py_PreInitialize(&before);
  if (!PyStatus_Exception(status)) {
    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    config.parse_argv = 0;
    config.use_environment = 0;
    config.safe_path = 1;
    if (*python) status = PyConfig_SetBytesString(&config, &config.executable, python);
    if (!PyStatus_Exception(status)) /* a warning would be printed */
      status = PyWideStringList_Append(&config.warnoptions, L"ignore");
    set_folders_aside(folders);
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    put_folders_back(folders);
    PyConfig_Clear(&config);
  }
  if (PyStatus_Exception(status)) {
    snprintf(start_message, sizeof start_message, "cannot start Python (%s): %s", python,
             status.err_msg ? status.err_msg : "it asked to exit");
    return 0;
  }
  drop_python_streams();
  if (!asked_for) prefer_own_package();
  PyEval_SaveThread();
  return 1;
}

/* Python's own words for its last exception; needs the GIL. */
static void keep_reason(char *reason, size_t size) {
  PyObject *type = NULL, *value = NULL, *trace = NULL, *text = NULL;
  const char *words = NULL;
  PyErr_Fetch(&type, &value, &trace);
  if (value) text = PyObject_Str(value);
  if (text) words = PyUnicode_AsUTF8(text);
  snprintf(reason, size, "%s", words ? words : "no reason given");
  Py_XDECREF(text);
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(trace);
  PyErr_Clear();
}

/* The program of the Python that runs, or its folder where it has none; needs the GIL. */
static void running_python(char *path, size_t size) {
  static const char *const names[] = {"executable", "prefix"};
  size_t i;
  *path = 0;
  for (i = 0; !*path && i < sizeof names / sizeof *names; i++) {
    PyObject *found = PySys_GetObject(names[i]);
    const char *text = found && PyUnicode_Check(found) ? PyUnicode_AsUTF8(found) : NULL;
    if (text) snprintf(path, size, "%s", text);
    PyErr_Clear();
  }
}

/* Whose Python is in the way, and that the variable which chooses one has no effect on it. */
static void tell_host_python(const char *running, const char *problem) {
  char own[PATH_MAX] = "";
  if (!own_python(own, sizeof own)) snprintf(own, sizeof own, "%s", LANDSTEP_PYTHON_DEFAULT);
  snprintf(start_message, sizeof start_message,
           "%.1000s; landstep needs Python %d.%d of its own environment (%.1000s), and a process runs "
           "one Python: LANDSTEP_PYTHON cannot change it. Start the program with that Python, or "
           "install landstep for the one that it runs: %.1000s",
           problem, PY_MAJOR_VERSION, PY_MINOR_VERSION, own, running);
}

/* A libpython of another version that the host brings answers for ours. */
static int same_version(void) {
  char own[16], running[PATH_MAX], problem[PATH_MAX + 100];
  size_t length = (size_t)snprintf(own, sizeof own, "%d.%d.", PY_MAJOR_VERSION, PY_MINOR_VERSION);
  Dl_info info;
  if (strncmp(Py_GetVersion(), own, length) == 0) return 1;
  snprintf(running, sizeof running, "%s",
           dladdr((void *)&PyType_Type, &info) && info.dli_fname ? info.dli_fname : "libpython");
  snprintf(problem, sizeof problem, "this process has Python %.*s (%s)",
           (int)strcspn(Py_GetVersion(), " "), Py_GetVersion(), running);
  tell_host_python(running, problem);
  return 0;
}

/* Import what cffi's own start would import: cffi prints a failure, this one keeps it.
 * python: the one that was started here; NULL: the host's own runs. */
static int import_bridge(const char *python) {
  static const char *const modules[] = {"signal", "_cffi_backend", "landstep.coupling.bridge"};
  PyGILState_STATE gil = PyGILState_Ensure();
  size_t i;
  int done = 1;
  for (i = 0; done && i < sizeof modules / sizeof *modules; i++) {
    PyObject *module = PyImport_ImportModule(modules[i]);
    if (!module) {
      char reason[1000];
      keep_reason(reason, sizeof reason);
      if (python) {
        snprintf(start_message, sizeof start_message,
                 "cannot import %s with %s: %s; set LANDSTEP_PYTHON to the python3 of the "
                 "environment where landstep is installed", modules[i],
                 *python ? python : "the embedded Python", reason);
      } else {
        char running[PATH_MAX], problem[PATH_MAX + sizeof reason + 100];
        running_python(running, sizeof running);
        snprintf(problem, sizeof problem,
                 "this process already runs Python %.*s (%s), which cannot import %s: %s",
                 (int)strcspn(Py_GetVersion(), " "), Py_GetVersion(), running, modules[i], reason);
        tell_host_python(running, problem);
      }
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
  if (!same_version()) return 0;
  if (!Py_IsInitialized()) {
    struct sigaction interrupt;
    int done, asked_for;
    if (!choose_python(python, sizeof python, &asked_for)) return 0;
    show_libpython();
    sigaction(SIGINT, NULL, &interrupt);
    done = start_interpreter(python, asked_for) && import_bridge(python);
    sigaction(SIGINT, &interrupt, NULL); /* the first import of signal takes it */
    if (!done) return 0;
  } else if (!import_bridge(NULL)) {
    return 0;
  }
  if (cffi_start_python() != 0) {
    snprintf(start_message, sizeof start_message, "cffi could not connect to Python");
    return 0;
  }
  if (landstep_py_abi() != LANDSTEP_ABI) {
    snprintf(start_message, sizeof start_message,
             "the Python package has interface version %d, the library %d (%.1000s): install landstep "
             "again", landstep_py_abi(), LANDSTEP_ABI, library);
    return 0;
  }
  return 1;
}

static int not_usable_after_fork(void) {
  return landstep_fail(LANDSTEP_COUPLING_ERROR,
                       "handle not usable after fork: landstep was started in the parent process");
}

int landstep_start(const landstep_answers **answers) {
  int status = LANDSTEP_OK;
  *answers = &answers_of_python;
  if (start_process && start_process != getpid()) return not_usable_after_fork();
  pthread_mutex_lock(&start_lock);
  hold_standard_streams();
  if (start_state == NOT_STARTED) {
    start_process = getpid();
    start_state = start_once() ? READY : FAILED;
  }
  if (start_state == FAILED) status = landstep_fail(LANDSTEP_DEPENDENCY_ERROR, start_message);
  pthread_mutex_unlock(&start_lock);
  return status;
}

/* A call with a handle needs a started Python: only landstep_open starts it. */
int landstep_started(const landstep_answers **answers) {
  *answers = &answers_of_python;
  if (start_process && start_process != getpid()) return not_usable_after_fork();
  if (start_state != READY)
    return landstep_fail(LANDSTEP_STEP_ERROR, "no handle is open: call landstep_open first");
  return LANDSTEP_OK;
}
