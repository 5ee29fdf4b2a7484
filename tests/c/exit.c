/* SPDX-License-Identifier: MPL-2.0
 *
 * Calls exit() while another thread starts streams. argv: the delay in milliseconds, the number of streams, and a
 * dmheadpose with its properties. Returns 7.
 */
#include <gst/gst.h>
#include <stdlib.h>

static gpointer start (gpointer streams)
{
  GList *stream;

  for (stream = streams; stream != NULL; stream = stream->next)
    gst_element_set_state (stream->data, GST_STATE_PLAYING);
  return NULL;
}

int main (int argc, char **argv)
{
  GList *streams = NULL;
  char *line;
  int number;

  gst_init (NULL, NULL);
  if (argc != 4)
    return 2;
  line = g_strdup_printf ("videotestsrc ! %s ! fakesink", argv[3]);
  for (number = atoi (argv[2]); number > 0; number--)
    streams = g_list_prepend (streams, gst_parse_launch (line, NULL));
  g_free (line);
  g_thread_new ("start", start, streams);
  g_usleep (atoi (argv[1]) * G_TIME_SPAN_MILLISECOND);
  exit (7);
}
