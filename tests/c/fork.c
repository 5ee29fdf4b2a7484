/* SPDX-License-Identifier: MPL-2.0
 *
 * Children made by fork() of a process in which the element has loaded ONNX Runtime. argv: what the children do,
 * their number, and a dmheadpose with its properties.
 *   exit   they call exit() at random moments of a stream
 *   play   they start their own stream, which must be refused with an error
 *   push   they push a frame to the parent's element, which must be refused with an error
 *   stop   they stop and release the parent's element
 * SIGALRM ends a child that hangs. Returns 0 if all ended as expected.
 */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LEFT = 3, PATIENCE_SECONDS = 20 };

#define CAPS "video/x-raw,format=RGB,width=64,height=48,framerate=25/1"

/* Whether the next error on the bus is about the fork. */
static gboolean refused (GstBus *bus)
{
  GstMessage *message =
      gst_bus_timed_pop_filtered (bus, PATIENCE_SECONDS * GST_SECOND / 2, GST_MESSAGE_ERROR);
  GError *error = NULL;
  gboolean in_words;

  if (message == NULL) {
    fprintf (stderr, "no error\n");
    return FALSE;
  }
  gst_message_parse_error (message, &error, NULL);
  in_words = strstr (error->message, "forked") != NULL;
  if (!in_words)
    fprintf (stderr, "%s\n", error->message);
  g_error_free (error);
  gst_message_unref (message);
  return in_words;
}

static GstElement *stream (const char *element)
{
  char *line = g_strdup_printf ("videotestsrc ! " CAPS " ! %s ! fakesink sync=false", element);
  GstElement *pipeline = gst_parse_launch (line, NULL);

  g_free (line);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  return pipeline;
}

static gboolean push_is_refused (GstElement *element, GstBus *bus)
{
  GstPad *pad = gst_element_get_static_pad (element, "sink");
  GstCaps *caps = gst_caps_from_string (CAPS);
  GstSegment segment;
  GstFlowReturn flow;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_send_event (pad, gst_event_new_stream_start ("fork"));
  gst_pad_send_event (pad, gst_event_new_caps (caps));
  gst_pad_send_event (pad, gst_event_new_segment (&segment));
  flow = gst_pad_chain (pad, gst_buffer_new_allocate (NULL, 64 * 48 * 3, NULL));
  gst_caps_unref (caps);
  gst_object_unref (pad);
  return flow == GST_FLOW_ERROR && refused (bus);
}

int main (int argc, char **argv)
{
  const char *what = argv[1];
  gboolean alone;
  GstElement *running;
  GstBus *bus;
  int number, children, odd = 0;

  gst_init (NULL, NULL);
  if (argc != 4)
    return 2;
  children = atoi (argv[2]);
  alone = strcmp (what, "push") == 0 || strcmp (what, "stop") == 0;
  if (alone) {
    /* Its workers exist, but no streaming thread that could hold a lock. */
    running = gst_parse_launch (argv[3], NULL);
    gst_element_set_state (running, GST_STATE_PAUSED);
  } else {
    running = stream (argv[3]);
    gst_element_get_state (running, NULL, NULL, GST_CLOCK_TIME_NONE);
  }
  bus = gst_bus_new ();
  gst_element_set_bus (running, bus);

  for (number = 0; number < children; number++) {
    struct timespec moment = { 0, rand () % 20000000 };
    int status = 0;
    pid_t child;

    nanosleep (&moment, NULL);
    child = fork ();
    if (child == 0) {
      alarm (PATIENCE_SECONDS);
      if (strcmp (what, "play") == 0) {
        GstElement *own = stream (argv[3]);
        if (!refused (gst_element_get_bus (own)))
          exit (1);
      } else if (strcmp (what, "push") == 0) {
        if (!push_is_refused (running, bus))
          exit (1);
      } else if (strcmp (what, "stop") == 0) {
        gst_element_set_state (running, GST_STATE_NULL);
        gst_object_unref (running);
      }
      exit (LEFT);
    }
    waitpid (child, &status, 0);
    if (!WIFEXITED (status) || WEXITSTATUS (status) != LEFT) {
      fprintf (stderr, "child %d: status %x\n", number, status);
      odd++;
    }
  }
  gst_element_set_state (running, GST_STATE_NULL);
  gst_element_set_bus (running, NULL);
  gst_object_unref (bus);
  gst_object_unref (running);
  return odd == 0 ? 0 : 1;
}
