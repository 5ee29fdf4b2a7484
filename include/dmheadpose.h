/* SPDX-License-Identifier: MPL-2.0 */
/*
 * dmheadpose.h: the head poses of a GstBuffer as plain structs.
 *
 * Needs gstreamer-1.0 (1.20 or newer) and nothing else: there is no library to link. Everything is
 * read from the custom meta "DmHeadPoseMeta" that the element dmheadpose attaches, or from the
 * structure of its messages (post-messages) and of its signal (head-poses).
 *
 *   DmHeadPoses poses;
 *   if (dm_head_poses_from_buffer (buffer, &poses)) {
 *     for (guint i = 0; i < poses.n_heads; i++) {
 *       DmHeadPose head;
 *       if (dm_head_poses_get_head (buffer, i, &head))
 *         g_print ("yaw %.1f\n", head.yaw);
 *     }
 *   }
 */
#ifndef DMHEADPOSE_H
#define DMHEADPOSE_H

#include <gst/gst.h>

G_BEGIN_DECLS

/** The name of the custom meta and of its structure. */
#define DM_HEAD_POSE_META_NAME "DmHeadPoseMeta"

/** The layout that this header reads. */
#define DM_HEAD_POSE_META_VERSION 1

/** Where the heads of a buffer come from. */
typedef enum
{
  DM_HEAD_POSE_SOURCE_INFERRED, /**< detected and estimated in this frame */
  DM_HEAD_POSE_SOURCE_TRACKED,  /**< boxes followed from an earlier frame */
  DM_HEAD_POSE_SOURCE_HELD      /**< taken over unchanged from an earlier frame */
} DmHeadPoseSource;

/** What is said once for a buffer. */
typedef struct
{
  guint width;                  /**< frame that the boxes refer to, pixels */
  guint height;
  DmHeadPoseSource source;
  /** ns since the frame the poses were inferred from; 0: this one, GST_CLOCK_TIME_NONE: unknown */
  GstClockTime age;
  GstClockTime inference_time;  /**< ns that inference took for that frame, or GST_CLOCK_TIME_NONE */
  guint n_heads;                /**< 0: looked, and found none; those that are broken count */
} DmHeadPoses;

/** One head. */
typedef struct
{
  guint64 id;                   /**< track number, from 1; 0: not tracked */
  /** Box before the margins of the pose crop, pixels of the buffer, origin at the top left. */
  gdouble x, y, w, h;
  gdouble score;                /**< the detector's, 0..1 */
  /** Degrees, -180..180; 0 faces the camera, positive turns the face to the image's left, beyond 90
   * in magnitude the head is seen from behind. */
  gdouble yaw;
  gdouble pitch;                /**< degrees; positive looks up */
  gdouble roll;                 /**< degrees; positive tilts clockwise in the image */
  /** The same as a row-major 3x3 matrix that takes directions of the head (x to its side on the
   * image's right, y from crown to chin, z out of the nose) to directions of the image (x right,
   * y down, z towards the camera). */
  gdouble rotation[9];
  gboolean rear;                /**< seen from behind: |yaw| > 90 */
  gboolean truncated;           /**< cut by the frame's border: the pose is less sure */
  gboolean seam;                /**< near the +-90 degree seam of the models: the pose is less sure */
  gboolean predicted;           /**< box predicted by the tracker, not detected in this frame */
  /** Standard deviation of the pose's rotation angle, degrees; -1: the pose model states none. */
  gdouble uncertainty;
} DmHeadPose;

/**
 * The structure of the buffer's meta, or NULL when it has none. It belongs to the buffer.
 */
static inline const GstStructure *
dm_head_poses_structure (GstBuffer * buffer)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, DM_HEAD_POSE_META_NAME);

  return meta == NULL ? NULL : gst_custom_meta_get_structure (meta);
}

/** Whether this header knows the layout of the structure, which may be NULL. */
static inline gboolean
dm_head_poses_is_known (const GstStructure * s)
{
  gint version = 0;

  return s != NULL && gst_structure_get_int (s, "version", &version)
      && version == DM_HEAD_POSE_META_VERSION;
}

/**
 * Fills `poses` from the structure of a meta, a message or a signal. FALSE, with `poses` zeroed, when
 * it is NULL or of a layout that this header does not know.
 */
static inline gboolean
dm_head_poses_from_structure (const GstStructure * s, DmHeadPoses * poses)
{
  static const DmHeadPoses none = { 0, 0, DM_HEAD_POSE_SOURCE_INFERRED, 0, 0, 0 };
  const gchar *source;
  gint width = 0, height = 0, n = 0;
  guint64 age = 0, inference_time = 0;

  *poses = none;
  if (!dm_head_poses_is_known (s))
    return FALSE;
  source = gst_structure_get_string (s, "source");
  if (source == NULL
      || !gst_structure_get_int (s, "width", &width) || width <= 0
      || !gst_structure_get_int (s, "height", &height) || height <= 0
      || !gst_structure_get_uint64 (s, "age", &age)
      || !gst_structure_get_uint64 (s, "inference-time", &inference_time)
      || !gst_structure_get_int (s, "n", &n) || n < 0)
    return FALSE;
  /* A number of heads that are not there costs no time. */
  n = MIN (n, gst_structure_n_fields (s));

  if (g_strcmp0 (source, "inferred") == 0)
    poses->source = DM_HEAD_POSE_SOURCE_INFERRED;
  else if (g_strcmp0 (source, "tracked") == 0)
    poses->source = DM_HEAD_POSE_SOURCE_TRACKED;
  else if (g_strcmp0 (source, "held") == 0)
    poses->source = DM_HEAD_POSE_SOURCE_HELD;
  else
    return FALSE;
  poses->width = (guint) width;
  poses->height = (guint) height;
  poses->age = age;
  poses->inference_time = inference_time;
  poses->n_heads = (guint) n;
  return TRUE;
}

/**
 * Fills `poses` from the buffer. FALSE, with `poses` zeroed, when the buffer carries no head poses:
 * then nobody looked, which is not the same as no head.
 */
static inline gboolean
dm_head_poses_from_buffer (GstBuffer * buffer, DmHeadPoses * poses)
{
  return dm_head_poses_from_structure (dm_head_poses_structure (buffer), poses);
}

/** Reads a number; FALSE when it is missing, or not finite as a 32-bit number. */
static inline gboolean
dm_head_poses_get_number (const GstStructure * s, const gchar * name, gdouble * number)
{
  /* NaN is not within either. */
  return gst_structure_get_double (s, name, number)
      && *number >= -(gdouble) G_MAXFLOAT && *number <= (gdouble) G_MAXFLOAT;
}

/**
 * Fills `head` with head number `index`, from 0 to n_heads - 1, of the structure of a
 * meta, a message or a signal. FALSE, with `head` undefined, when there is no such head or when it is
 * broken: go on with the next.
 */
static inline gboolean
dm_head_poses_get_head_from_structure (const GstStructure * all, guint index, DmHeadPose * head)
{
  const GstStructure *s;
  const GValue *value;
  gchar name[24];
  guint i;

  if (!dm_head_poses_is_known (all))
    return FALSE;
  g_snprintf (name, sizeof (name), "head-%u", index);
  value = gst_structure_get_value (all, name);
  if (value == NULL || !GST_VALUE_HOLDS_STRUCTURE (value))
    return FALSE;
  s = gst_value_get_structure (value);
  if (s == NULL
      || !gst_structure_get_uint64 (s, "id", &head->id)
      || !dm_head_poses_get_number (s, "x", &head->x)
      || !dm_head_poses_get_number (s, "y", &head->y)
      || !dm_head_poses_get_number (s, "w", &head->w)
      || !dm_head_poses_get_number (s, "h", &head->h)
      || !dm_head_poses_get_number (s, "score", &head->score)
      || !dm_head_poses_get_number (s, "yaw", &head->yaw)
      || !dm_head_poses_get_number (s, "pitch", &head->pitch)
      || !dm_head_poses_get_number (s, "roll", &head->roll)
      || !gst_structure_get_boolean (s, "rear", &head->rear)
      || !gst_structure_get_boolean (s, "truncated", &head->truncated)
      || !gst_structure_get_boolean (s, "seam", &head->seam)
      || !gst_structure_get_boolean (s, "predicted", &head->predicted))
    return FALSE;

  head->uncertainty = -1.0;
  if (gst_structure_has_field (s, "uncertainty")
      && (!dm_head_poses_get_number (s, "uncertainty", &head->uncertainty)
          || head->uncertainty < 0.0))
    return FALSE;

  value = gst_structure_get_value (s, "rotation");
  if (value == NULL || !GST_VALUE_HOLDS_ARRAY (value) || gst_value_array_get_size (value) != 9)
    return FALSE;
  for (i = 0; i < 9; i++) {
    const GValue *element = gst_value_array_get_value (value, i);

    if (!G_VALUE_HOLDS_DOUBLE (element))
      return FALSE;
    head->rotation[i] = g_value_get_double (element);
    if (!(head->rotation[i] >= -(gdouble) G_MAXFLOAT && head->rotation[i] <= (gdouble) G_MAXFLOAT))
      return FALSE;
  }
  return TRUE;
}

/** The same for the structure of the buffer's meta. */
static inline gboolean
dm_head_poses_get_head (GstBuffer * buffer, guint index, DmHeadPose * head)
{
  return dm_head_poses_get_head_from_structure (dm_head_poses_structure (buffer), index, head);
}

G_END_DECLS

#endif /* DMHEADPOSE_H */
