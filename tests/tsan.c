// SPDX-License-Identifier: MPL-2.0
// Tells ThreadSanitizer about the locks, queues and references of GLib and GStreamer, which are not built for it: it
// would report all that goes from one thread to another through them. tests/tsan.sh preloads this library, so that
// each of these functions is found before the original one.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <gst/gst.h>

// In the test programs. Other programs, which the tests may start, have no ThreadSanitizer.
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

// What a thread does before it releases an address happens before what another one does after it has acquired that.
static void acquire(void *address) {
  if (__tsan_acquire && address) __tsan_acquire(address);
}

static void release(void *address) {
  if (__tsan_release && address) __tsan_release(address);
}

// Declares `real`, the original function.
#define REAL(name)                                                                             \
  static __typeof__(&name) found;                                                              \
  __typeof__(&name) real = __atomic_load_n(&found, __ATOMIC_RELAXED);                          \
  if (!real) {                                                                                 \
    real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                                         \
    __atomic_store_n(&found, real, __ATOMIC_RELAXED);                                          \
  }

#define LOCK(name, type)      \
  void name(type *lock) {     \
    REAL(name)                \
    real(lock);               \
    acquire(lock);            \
  }

#define TRY_LOCK(name, type)      \
  gboolean name(type *lock) {     \
    REAL(name)                    \
    gboolean locked = real(lock); \
    if (locked) acquire(lock);    \
    return locked;                \
  }

#define UNLOCK(name, type)    \
  void name(type *lock) {     \
    REAL(name)                \
    release(lock);            \
    real(lock);               \
  }

LOCK(g_mutex_lock, GMutex)
TRY_LOCK(g_mutex_trylock, GMutex)
UNLOCK(g_mutex_unlock, GMutex)
LOCK(g_rec_mutex_lock, GRecMutex)
TRY_LOCK(g_rec_mutex_trylock, GRecMutex)
UNLOCK(g_rec_mutex_unlock, GRecMutex)
LOCK(g_rw_lock_reader_lock, GRWLock)
UNLOCK(g_rw_lock_reader_unlock, GRWLock)
LOCK(g_rw_lock_writer_lock, GRWLock)
UNLOCK(g_rw_lock_writer_unlock, GRWLock)

void g_cond_wait(GCond *cond, GMutex *mutex) {
  REAL(g_cond_wait)
  release(mutex);
  real(cond, mutex);
  acquire(mutex);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end) {
  REAL(g_cond_wait_until)
  release(mutex);
  gboolean signalled = real(cond, mutex, end);
  acquire(mutex);
  return signalled;
}

// Whoever drops the last reference uses and frees the object after all others. With more than two references nobody
// does so now, and a hand-over here could hide a race.
#define UNREF(name, type, references)                                        \
  void name(type *object) {                                                  \
    REAL(name)                                                               \
    release(object);                                                         \
    if (__atomic_load_n(references, __ATOMIC_RELAXED) <= 2) acquire(object); \
    real(object);                                                            \
  }

UNREF(g_object_unref, void, &((GObject *)object)->ref_count)
UNREF(gst_mini_object_unref, GstMiniObject, &object->refcount)

// A buffer comes back from a pool after the end of its last use.
GstFlowReturn gst_buffer_pool_acquire_buffer(GstBufferPool *pool, GstBuffer **buffer,
                                             GstBufferPoolAcquireParams *params) {
  REAL(gst_buffer_pool_acquire_buffer)
  GstFlowReturn result = real(pool, buffer, params);
  if (result == GST_FLOW_OK) acquire(*buffer);
  return result;
}

// Memory is mapped for writing only if no other buffer has it any more; otherwise a copy of it is mapped.
gboolean gst_buffer_map(GstBuffer *buffer, GstMapInfo *info, GstMapFlags flags) {
  REAL(gst_buffer_map)
  gboolean mapped = real(buffer, info, flags);
  if (mapped && (flags & GST_MAP_WRITE)) acquire(info->memory);
  return mapped;
}

gboolean gst_buffer_map_range(GstBuffer *buffer, guint first, gint length, GstMapInfo *info,
                              GstMapFlags flags) {
  REAL(gst_buffer_map_range)
  gboolean mapped = real(buffer, first, length, info, flags);
  if (mapped && (flags & GST_MAP_WRITE)) acquire(info->memory);
  return mapped;
}

void gst_buffer_unmap(GstBuffer *buffer, GstMapInfo *info) {
  REAL(gst_buffer_unmap)
  release(info->memory);
  real(buffer, info);
}

// The queues of gst-check's harness.
void g_async_queue_push(GAsyncQueue *queue, gpointer data) {
  REAL(g_async_queue_push)
  release(data);
  real(queue, data);
}

gpointer g_async_queue_try_pop(GAsyncQueue *queue) {
  REAL(g_async_queue_try_pop)
  gpointer data = real(queue);
  acquire(data);
  return data;
}

gpointer g_async_queue_timeout_pop(GAsyncQueue *queue, guint64 timeout) {
  REAL(g_async_queue_timeout_pop)
  gpointer data = real(queue, timeout);
  acquire(data);
  return data;
}

// Messages of a bus.
gboolean gst_bus_post(GstBus *bus, GstMessage *message) {
  REAL(gst_bus_post)
  release(message);
  return real(bus, message);
}

GstMessage *gst_bus_timed_pop_filtered(GstBus *bus, GstClockTime timeout, GstMessageType types) {
  REAL(gst_bus_timed_pop_filtered)
  GstMessage *message = real(bus, timeout, types);
  acquire(message);
  return message;
}
