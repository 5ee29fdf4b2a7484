// SPDX-License-Identifier: MPL-2.0
//! What a model file says outside of its graph: its name, and the names of its classes.

/// The name of a file and the metadata that exporters write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// Without folders, in lower case.
    pub file: String,
    /// By number, as Ultralytics' exporter names them; empty where the file does not.
    pub classes: Vec<String>,
}

impl Hints {
    /// `names`: a dictionary or list as Python prints it.
    pub fn new(file: &std::path::Path, names: Option<&str>) -> Self {
        let file = file.file_name().unwrap_or_default().to_string_lossy();
        Self {
            file: file.to_lowercase(),
            classes: quoted(names.unwrap_or_default()),
        }
    }

    /// The class of heads, where the file names it.
    pub fn head_class(&self) -> Option<u32> {
        let by_name = |fits: &dyn Fn(&str) -> bool| {
            let mut names = self.classes.iter();
            let place = names.position(|name| fits(&name.to_lowercase()));
            place.and_then(|place| u32::try_from(place).ok())
        };
        match self.classes.as_slice() {
            [] => self.head_class_by_file(),
            [_] => Some(0),
            _ => by_name(&|name| name == "head").or_else(|| by_name(&|name| name.contains("head"))),
        }
    }

    /// In PINTO0309's model zoo the file name identifies the class table.
    fn head_class_by_file(&self) -> Option<u32> {
        if let Some((_, rest)) = self.file.split_once("wholebody") {
            let digits = rest
                .trim_start_matches('_')
                .split(|c: char| !c.is_ascii_digit())
                .next();
            return match digits.and_then(|digits| digits.parse().ok()) {
                Some(13) => Some(3),
                Some(15) => Some(5),
                Some(17..) => Some(7),
                _ if rest.contains("wheelchair") => Some(3),
                _ => None,
            };
        }
        match &self.file {
            file if file.contains("body_head") => Some(1),
            file if file.contains("head_post") || file.contains("discrete_headpose") => Some(0),
            _ => None,
        }
    }
}

/// The strings in quotes, in their order.
fn quoted(text: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['\'', '"']) {
        let (quote, after) = rest[start..].split_at(1);
        let Some((string, after)) = after.split_once(quote) else {
            break;
        };
        strings.push(string.to_string());
        rest = after;
    }
    strings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(file: &str, names: Option<&str>) -> Option<u32> {
        Hints::new(std::path::Path::new(file), names).head_class()
    }

    #[test]
    fn classes_are_named_by_the_exporter() {
        assert_eq!(head("a.onnx", Some("{0: 'person', 1: 'head'}")), Some(1));
        assert_eq!(head("a.onnx", Some("['Head', \"person\"]")), Some(0));
        assert_eq!(
            head("a.onnx", Some("{0: 'person', 1: 'human head'}")),
            Some(1)
        );
        assert_eq!(
            head("a.onnx", Some("{0: 'face'}")),
            Some(0),
            "there is no other"
        );
        assert_eq!(head("a.onnx", Some("{0: 'person', 1: 'bicycle'}")), None);
        assert_eq!(head("a.onnx", Some("{0: 'unfinished")), None);
        assert_eq!(head("a.onnx", None), None);
    }

    #[test]
    fn files_of_the_zoo_go_with_class_tables() {
        for (file, class) in [
            (
                "gold_yolo_n_head_post_0277_0.5071_1x3x480x640.onnx",
                Some(0),
            ),
            ("yolox_n_body_head_hand_post_1x3x256x320.onnx", Some(1)),
            (
                "yolov9_e_wholebody_with_wheelchair_post_0100_1x3x480x640.onnx",
                Some(3),
            ),
            ("yolov9_e_wholebody13_post_1x3x480x640.onnx", Some(3)),
            ("yolov9_e_wholebody15_post_0145_1x3x480x640.onnx", Some(5)),
            ("yolov9_e_wholebody17_post_0100_1x3x480x640.onnx", Some(7)),
            ("/models/YOLOv9_e_Wholebody25_post.onnx", Some(7)),
            ("deim_hgnetv2_x_wholebody28_ft_1250query.onnx", Some(7)),
            ("yolov9_e_discrete_headpose_post.onnx", Some(0)),
            ("wholebody.onnx", None),
            ("best.onnx", None),
        ] {
            assert_eq!(head(file, None), class, "{file}");
        }
    }
}
