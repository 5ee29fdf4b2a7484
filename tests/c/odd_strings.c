/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sets every string property of the plugin's elements to bytes that are not UTF-8 and reads it back, then plays
 * with models whose paths contain such bytes: odd_strings DETECTOR POSE-MODEL [ONNX-RUNTIME].
 */
#include <stdio.h>
#include <string.h>

#include <gst/gst.h>

static const gchar odd[] = "caf\xe9 \xff";

static int set_all(const gchar *factory)
{
    GstElement *element = gst_element_factory_make(factory, NULL);
    GParamSpec **specs;
    guint i, count;

    if (!element)
        return 1;
    specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
    for (i = 0; i < count; i++) {
        const gchar *name = specs[i]->name;
        gchar *before = NULL, *after = NULL;

        if (specs[i]->value_type != G_TYPE_STRING || !(specs[i]->flags & G_PARAM_WRITABLE) ||
            specs[i]->owner_type == GST_TYPE_OBJECT)
            continue;
        g_object_set(element, name, "{}", NULL);
        g_object_get(element, name, &before, NULL);
        g_object_set(element, name, odd, NULL);
        g_object_get(element, name, &after, NULL);
        printf("%s %s %s\n", factory, name,
               !g_strcmp0(after, odd) ? "taken" : !g_strcmp0(after, before) ? "kept" : "lost");
        g_free(before);
        g_free(after);
    }
    g_free(specs);
    gst_object_unref(element);
    return 0;
}

static int play(char **paths)
{
    GstElement *pipeline = gst_parse_launch(
        "videotestsrc num-buffers=2 ! video/x-raw,width=64,height=48 ! dmheadpose name=poses ! fakesink", NULL);
    GstElement *poses = gst_bin_get_by_name(GST_BIN(pipeline), "poses");
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *message;
    int failed;

    g_object_set(poses, "detector-model", paths[0], "pose-model", paths[1], NULL);
    if (paths[2])
        g_object_set(poses, "onnxruntime-library", paths[2], NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND, (GstMessageType)(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    failed = !message || GST_MESSAGE_TYPE(message) != GST_MESSAGE_EOS;
    if (message && failed) {
        GError *error = NULL;
        gst_message_parse_error(message, &error, NULL);
        fprintf(stderr, "%s\n", error->message);
        g_error_free(error);
    }
    if (message)
        gst_message_unref(message);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
    gst_object_unref(poses);
    gst_object_unref(pipeline);
    printf("played %s\n", failed ? "no" : "yes");
    return failed;
}

int main(int argc, char **argv)
{
    gst_init(NULL, NULL);
    if (argc < 3)
        return 2;
    return set_all("dmheadpose") + set_all("dmheadposejson") + set_all("dmheadposeoverlay") + play(argv + 1);
}
