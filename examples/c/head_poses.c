/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Prints the head poses in a video, one line of JSON per frame:
 *
 *   make && ./head_poses video.mp4
 *
 * Needs GStreamer's core library and dmheadpose.h, a header without a library. The lines are those of
 * dmheadposejson with fewer fields.
 */
#include <dmheadpose.h>

static void
print_head (const DmHeadPose * head)
{
  g_print ("{\"id\":%" G_GUINT64_FORMAT ",\"box\":{\"x\":%.3f,\"y\":%.3f,\"w\":%.3f,\"h\":%.3f},"
      "\"yaw\":%.3f,\"pitch\":%.3f,\"roll\":%.3f}", head->id, head->x, head->y, head->w, head->h,
      head->yaw, head->pitch, head->roll);
}

/* Called by the sink, in the streaming thread, for each frame. */
static void
on_frame (GstElement * sink, GstBuffer * buffer, GstPad * pad, gpointer data)
{
  DmHeadPoses poses;
  DmHeadPose head;
  const gchar *separator = "";
  guint i;

  (void) sink, (void) pad, (void) data;
  if (!dm_head_poses_from_buffer (buffer, &poses))
    return;                     /* this frame was not analysed */
  if (GST_BUFFER_PTS_IS_VALID (buffer))
    g_print ("{\"pts\":%" G_GUINT64_FORMAT ",\"heads\":[", GST_BUFFER_PTS (buffer));
  else
    g_print ("{\"pts\":null,\"heads\":[");
  for (i = 0; i < poses.n_heads; i++) {
    if (dm_head_poses_get_head (buffer, i, &head)) {
      g_print ("%s", separator);
      print_head (&head);
      separator = ",";
    }
  }
  g_print ("]}\n");
}

/* Plays to the end. FALSE if it ends with an error, which is printed. */
static gboolean
play (GstElement * pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  gboolean ended;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  ended = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  if (!ended) {
    GError *error = NULL;

    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s: %s\n", GST_OBJECT_NAME (GST_MESSAGE_SRC (message)), error->message);
    g_error_free (error);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_message_unref (message);
  gst_object_unref (bus);
  return ended;
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  GstElement *pipeline, *source, *sink;
  gchar *uri;
  gboolean ended;

  gst_init (&argc, &argv);
  if (argc != 2) {
    g_printerr ("usage: %s FILE|URI\n", argv[0]);
    return 2;
  }
  uri = gst_uri_is_valid (argv[1]) ? g_strdup (argv[1]) : gst_filename_to_uri (argv[1], &error);
  if (uri == NULL) {
    g_printerr ("%s: %s\n", argv[1], error->message);
    g_error_free (error);
    return 1;
  }
  pipeline = gst_parse_launch ("uridecodebin name=source ! videoconvert "
      "! videoflip video-direction=auto ! dmheadpose tracking=true ! fakesink name=sink signal-handoffs=true", &error);
  if (error != NULL) {
    g_printerr ("The pipeline cannot be built: %s\n", error->message);
    g_error_free (error);
    g_clear_pointer (&pipeline, gst_object_unref);
    g_free (uri);
    return 1;
  }
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (source, "uri", uri, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_frame), NULL);

  ended = play (pipeline);

  gst_object_unref (sink);
  gst_object_unref (source);
  gst_object_unref (pipeline);
  g_free (uri);
  return ended ? 0 : 1;
}
