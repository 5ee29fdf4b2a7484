/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reads head poses through dmheadpose.h and prints every field, one per line.
 *
 * Without an argument the structure is made here, following only the documentation; with one, it is the
 * argument, as written by gst_structure_to_string(). Also built as C++ to show that the header works there.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "dmheadpose.h"

static void
check (gboolean ok, const char *what)
{
  if (!ok) {
    fprintf (stderr, "failed: %s\n", what);
    exit (1);
  }
}

static GstStructure *
make_structure (void)
{
  GstStructure *head, *s;
  GValue rotation = G_VALUE_INIT;
  int i;

  g_value_init (&rotation, GST_TYPE_ARRAY);
  for (i = 0; i < 9; i++) {
    GValue v = G_VALUE_INIT;

    g_value_init (&v, G_TYPE_DOUBLE);
    g_value_set_double (&v, i / 8.0);
    gst_value_array_append_and_take_value (&rotation, &v);
  }
  head = gst_structure_new ("head", "id", G_TYPE_UINT64, (guint64) 5,
      "x", G_TYPE_DOUBLE, 1.5, "y", G_TYPE_DOUBLE, 2.0, "w", G_TYPE_DOUBLE, 3.0,
      "h", G_TYPE_DOUBLE, 4.0, "score", G_TYPE_DOUBLE, 0.5, "yaw", G_TYPE_DOUBLE, -100.0,
      "pitch", G_TYPE_DOUBLE, 20.0, "roll", G_TYPE_DOUBLE, -3.25, "rear", G_TYPE_BOOLEAN, TRUE,
      "truncated", G_TYPE_BOOLEAN, FALSE, "seam", G_TYPE_BOOLEAN, TRUE,
      "predicted", G_TYPE_BOOLEAN, FALSE, "uncertainty", G_TYPE_DOUBLE, 6.5, NULL);
  gst_structure_take_value (head, "rotation", &rotation);
  s = gst_structure_new (DM_HEAD_POSE_META_NAME, "version", G_TYPE_INT, 1,
      "width", G_TYPE_INT, 64, "height", G_TYPE_INT, 48, "source", G_TYPE_STRING, "held",
      "age", G_TYPE_UINT64, (guint64) 40, "inference-time", G_TYPE_UINT64, (guint64) 7,
      "n", G_TYPE_INT, 1, "head-0", GST_TYPE_STRUCTURE, head, NULL);
  gst_structure_free (head);
  return s;
}

static gboolean
copy_field (GQuark field, const GValue * value, gpointer target)
{
  gst_structure_id_set_value ((GstStructure *) target, field, value);
  return TRUE;
}

static GstBuffer *
make_buffer (const GstStructure * s)
{
  static const gchar *tags[] = { NULL };
  GstBuffer *buffer = gst_buffer_new ();
  GstCustomMeta *meta;

  if (gst_meta_get_info (DM_HEAD_POSE_META_NAME) == NULL)
    gst_meta_register_custom (DM_HEAD_POSE_META_NAME, tags, NULL, NULL, NULL);
  meta = gst_buffer_add_custom_meta (buffer, DM_HEAD_POSE_META_NAME);
  check (meta != NULL, "the meta can be added");
  gst_structure_foreach (s, copy_field, gst_custom_meta_get_structure (meta));
  return buffer;
}

static void
check_refusals (const GstStructure * good)
{
  static const gchar *fields[] =
      { "version", "width", "height", "source", "age", "inference-time", "n" };
  DmHeadPoses poses;
  DmHeadPose head;
  GstBuffer *buffer = gst_buffer_new ();
  guint i;

  check (!dm_head_poses_from_buffer (buffer, &poses), "a bare buffer has no poses");
  check (!dm_head_poses_get_head (buffer, 0, &head), "a bare buffer has no heads");
  gst_buffer_unref (buffer);
  check (!dm_head_poses_from_structure (NULL, &poses), "nothing has no poses");
  check (!dm_head_poses_get_head_from_structure (NULL, 0, &head), "nothing has no heads");

  for (i = 0; i < G_N_ELEMENTS (fields); i++) {
    GstStructure *bad = gst_structure_copy (good);

    gst_structure_remove_field (bad, fields[i]);
    buffer = make_buffer (bad);
    check (!dm_head_poses_from_buffer (buffer, &poses), fields[i]);
    check (poses.width == 0 && poses.n_heads == 0, "refused poses are zeroed");
    gst_buffer_unref (buffer);
    gst_structure_free (bad);
  }
}

static void
check_broken_heads (const GstStructure * good)
{
  static const gdouble numbers[] = { G_MAXDOUBLE, -1.0, NAN, INFINITY };
  DmHeadPoses poses;
  DmHeadPose head;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (numbers); i++) {
    GstStructure *bad = gst_structure_copy (good);
    GstStructure *inner = gst_structure_copy (gst_value_get_structure (
            gst_structure_get_value (good, "head-0")));

    gst_structure_set (inner, i % 2 == 0 ? "yaw" : "uncertainty", G_TYPE_DOUBLE, numbers[i], NULL);
    gst_structure_set (bad, "head-0", GST_TYPE_STRUCTURE, inner, "n", G_TYPE_INT, G_MAXINT, NULL);
    check (dm_head_poses_from_structure (bad, &poses), "poses with a broken head are read");
    check (poses.n_heads <= (guint) gst_structure_n_fields (bad), "no more heads than fields");
    check (!dm_head_poses_get_head_from_structure (bad, 0, &head), "a broken head is refused");
    gst_structure_free (inner);
    gst_structure_free (bad);
  }
}

int
main (int argc, char **argv)
{
  GstStructure *s;
  GstBuffer *buffer;
  DmHeadPoses poses;
  DmHeadPose head;
  guint i, k;

  gst_init (NULL, NULL);
  buffer = gst_buffer_new ();
  check (!dm_head_poses_from_buffer (buffer, &poses), "an unregistered meta is not there");
  gst_buffer_unref (buffer);

  s = argc > 1 ? gst_structure_from_string (argv[1], NULL) : make_structure ();
  check (s != NULL, "the argument is a structure");
  buffer = make_buffer (s);
  check (dm_head_poses_from_buffer (buffer, &poses), "the poses are read");
  check (!dm_head_poses_get_head (buffer, poses.n_heads, &head), "no head past the last one");

  printf ("frame %u %u source %d age %" G_GUINT64_FORMAT " inference-time %" G_GUINT64_FORMAT
      " n %u\n", poses.width, poses.height, (int) poses.source, poses.age, poses.inference_time,
      poses.n_heads);
  for (i = 0; i < poses.n_heads; i++) {
    check (dm_head_poses_get_head (buffer, i, &head), "the head is read");
    printf ("head id %" G_GUINT64_FORMAT " box %g %g %g %g score %g angles %g %g %g", head.id,
        head.x, head.y, head.w, head.h, head.score, head.yaw, head.pitch, head.roll);
    printf (" flags %d %d %d %d", head.rear, head.truncated, head.seam, head.predicted);
    printf (" uncertainty %g rotation", head.uncertainty);
    for (k = 0; k < 9; k++)
      printf (" %.6f", head.rotation[k]);
    printf ("\n");
  }
  check_refusals (s);
  if (poses.n_heads > 0)
    check_broken_heads (s);

  gst_buffer_unref (buffer);
  gst_structure_free (s);
  return 0;
}
