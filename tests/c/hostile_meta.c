/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Hostile metas, and the results of reading them with dmheadpose.h. A shared library for
 * tests/hostile, so that the readers in Rust, C and Python get identical metas.
 */
#include <math.h>
#include <string.h>

#include "dmheadpose.h"

static guint64 state;

static guint64
random_next (void)
{
  guint64 z = (state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static guint
below (guint end)
{
  return (guint) (random_next () % end);
}

/* All elements of an array are of one type. Not G_TYPE_FLOAT, which Python cannot tell from a double. */
static void
fill_array (GValue * array, guint size)
{
  const GType odd[] = { G_TYPE_INT, G_TYPE_STRING, GST_TYPE_ARRAY, GST_TYPE_FRACTION };
  GType type = below (30) == 0 ? odd[below (G_N_ELEMENTS (odd))] : G_TYPE_DOUBLE;
  guint i;

  g_value_init (array, GST_TYPE_ARRAY);
  for (i = 0; i < size; i++) {
    GValue v = G_VALUE_INIT;

    g_value_init (&v, type);
    if (type == G_TYPE_DOUBLE)
      g_value_set_double (&v, below (200) == 0 ? (gdouble) NAN : below (100) / 100.0);
    gst_value_array_append_and_take_value (array, &v);
  }
}

/* An arbitrary value. */
static void
fill_odd (GValue * v)
{
  static const gdouble doubles[] = { 0, -0.0, 1, -1, 0.5, 180, 1e30, -1e38, 3.5e38, 1e300, -1e300, -1e-50 };
  static const gint ints[] = { 0, 1, 2, -1, G_MAXINT, G_MININT, 64, 48 };
  static const gchar *const texts[] = { NULL, "", "inferred", "HELD", "held ", "\xc3\xa4", "7" };

  switch (below (16)) {
    case 0:
    case 1:
    case 2:
      g_value_init (v, G_TYPE_DOUBLE);
      g_value_set_double (v, doubles[below (G_N_ELEMENTS (doubles))]);
      break;
    case 3:
      g_value_init (v, G_TYPE_DOUBLE);
      g_value_set_double (v, below (2) ? (gdouble) NAN : (gdouble) INFINITY);
      break;
    case 4:
    case 5:
      g_value_init (v, G_TYPE_INT);
      g_value_set_int (v, ints[below (G_N_ELEMENTS (ints))]);
      break;
    case 6:
      g_value_init (v, G_TYPE_UINT64);
      g_value_set_uint64 (v, G_MAXUINT64 - below (3));
      break;
    case 7:
      g_value_init (v, G_TYPE_UINT64);
      g_value_set_uint64 (v, random_next ());
      break;
    case 8:
      g_value_init (v, G_TYPE_INT64);
      g_value_set_int64 (v, (gint64) random_next ());
      break;
    case 9:
      g_value_init (v, G_TYPE_STRING);
      g_value_set_string (v, texts[below (G_N_ELEMENTS (texts))]);
      break;
    case 10:
      g_value_init (v, G_TYPE_FLOAT);
      g_value_set_float (v, 1.5f);
      break;
    case 11:
      g_value_init (v, G_TYPE_BOOLEAN);
      g_value_set_boolean (v, (gint) below (2));
      break;
    case 12:
      /* No structure in it. */
      g_value_init (v, GST_TYPE_STRUCTURE);
      break;
    case 13:
      g_value_init (v, GST_TYPE_FRACTION);
      break;
    case 14:
      fill_array (v, below (12));
      break;
    default:
      g_value_init (v, GST_TYPE_LIST);
  }
}

static void
set_odd (GstStructure * s, const gchar * name)
{
  GValue v = G_VALUE_INIT;

  fill_odd (&v);
  gst_structure_take_value (s, name, &v);
}

/* Once in this many times a field is missing or odd. */
static void
spoil (GstStructure * s, const gchar * const *names, guint n_names, guint times)
{
  guint i;

  for (i = 0; i < n_names; i++) {
    if (below (times) == 0)
      gst_structure_remove_field (s, names[i]);
    else if (below (times) == 0)
      set_odd (s, names[i]);
  }
}

static GstStructure *
make_head (void)
{
  static const gchar *const names[] = { "id", "x", "y", "w", "h", "score", "yaw", "pitch", "roll",
    "rear", "truncated", "seam", "predicted", "rotation",
    "uncertainty"
  };
  GValue rotation = G_VALUE_INIT;
  GstStructure *head = gst_structure_new ("head", "id", G_TYPE_UINT64, (guint64) below (9),
      "x", G_TYPE_DOUBLE, below (90) - 20.0, "y", G_TYPE_DOUBLE, below (70) - 20.0,
      "w", G_TYPE_DOUBLE, below (50) / 2.0, "h", G_TYPE_DOUBLE, below (50) / 2.0,
      "score", G_TYPE_DOUBLE, below (100) / 100.0, "yaw", G_TYPE_DOUBLE, below (360) - 180.0,
      "pitch", G_TYPE_DOUBLE, below (180) - 90.0, "roll", G_TYPE_DOUBLE, below (180) - 90.0,
      "rear", G_TYPE_BOOLEAN, (gint) below (2), "truncated", G_TYPE_BOOLEAN, (gint) below (2),
      "seam", G_TYPE_BOOLEAN, (gint) below (2), "predicted", G_TYPE_BOOLEAN, (gint) below (2), NULL);

  if (below (2) == 0)
    gst_structure_set (head, "uncertainty", G_TYPE_DOUBLE, below (100) / 4.0 - 1.0, NULL);
  fill_array (&rotation, below (20) == 0 ? below (12) : 9);
  gst_structure_take_value (head, "rotation", &rotation);
  spoil (head, names, G_N_ELEMENTS (names), 60);
  return head;
}

static gboolean
copy_field (GQuark field, const GValue * value, gpointer target)
{
  gst_structure_id_set_value ((GstStructure *) target, field, value);
  return TRUE;
}

/* Attaches meta number `number`. */
void hostile_attach (GstBuffer * buffer, guint64 number);

void
hostile_attach (GstBuffer * buffer, guint64 number)
{
  static const gchar *const names[] =
      { "version", "width", "height", "source", "age", "inference-time", "n" };
  static const gchar *const sources[] = { "inferred", "tracked", "held" };
  static const gchar *no_tags[] = { NULL };
  GstStructure *s;
  GstCustomMeta *meta;
  guint n, i;

  state = number * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  n = below (5);
  s = gst_structure_new (DM_HEAD_POSE_META_NAME, "version", G_TYPE_INT, 1,
      "width", G_TYPE_INT, 64, "height", G_TYPE_INT, 48,
      "source", G_TYPE_STRING, sources[below (3)],
      "age", G_TYPE_UINT64, below (4) ? (guint64) below (1000) : GST_CLOCK_TIME_NONE,
      "inference-time", G_TYPE_UINT64, below (4) ? (guint64) below (1000) : GST_CLOCK_TIME_NONE,
      "n", G_TYPE_INT, below (10) ? (gint) n : G_MAXINT, NULL);
  for (i = 0; i < n; i++) {
    gchar name[24];

    g_snprintf (name, sizeof (name), "head-%u", i);
    if (below (20) == 0) {
      set_odd (s, name);
    } else if (below (20) != 0) {
      GstStructure *head = make_head ();

      gst_structure_set (s, name, GST_TYPE_STRUCTURE, head, NULL);
      gst_structure_free (head);
    }
  }
  spoil (s, names, G_N_ELEMENTS (names), 30);

  if (gst_meta_get_info (DM_HEAD_POSE_META_NAME) == NULL)
    gst_meta_register_custom (DM_HEAD_POSE_META_NAME, no_tags, NULL, NULL, NULL);
  meta = gst_buffer_add_custom_meta (buffer, DM_HEAD_POSE_META_NAME);
  gst_structure_foreach (s, copy_field, gst_custom_meta_get_structure (meta));
  gst_structure_free (s);

  /* GStreamer refuses text that is not UTF-8, but cannot prevent writing it there directly. */
  if (below (20) == 0) {
    GValue *v = (GValue *) gst_structure_get_value (gst_custom_meta_get_structure (meta), "source");

    if (v != NULL && G_VALUE_HOLDS_STRING (v))
      g_value_set_string (v, "in\xff" "ferred");
  }
}

static void
append_float (GString * text, gdouble value)
{
  gfloat number = (gfloat) value;
  guint32 bits;

  memcpy (&bits, &number, sizeof (bits));
  g_string_append_printf (text, " %08x", bits);
}

/* The values read by the header, with the bits of each number; to be freed with g_free(). */
gchar *hostile_read (GstBuffer * buffer);

gchar *
hostile_read (GstBuffer * buffer)
{
  GString *text = g_string_new (NULL);
  DmHeadPoses poses;
  DmHeadPose head;
  guint i;

  if (!dm_head_poses_from_buffer (buffer, &poses))
    return g_string_free (g_string_append (text, "none"), FALSE);
  g_string_append_printf (text, "%u %u %d %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, poses.width,
      poses.height, (gint) poses.source, poses.age, poses.inference_time);
  for (i = 0; i < poses.n_heads; i++) {
    if (!dm_head_poses_get_head (buffer, i, &head))
      continue;
    g_string_append_printf (text, "\n%" G_GUINT64_FORMAT, head.id);
    append_float (text, head.x);
    append_float (text, head.y);
    append_float (text, head.w);
    append_float (text, head.h);
    append_float (text, head.score);
    append_float (text, head.yaw);
    append_float (text, head.pitch);
    append_float (text, head.roll);
    append_float (text, head.uncertainty);
    g_string_append_printf (text, " %d %d %d %d", !!head.rear, !!head.truncated, !!head.seam,
        !!head.predicted);
  }
  return g_string_free (text, FALSE);
}
