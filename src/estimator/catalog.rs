// SPDX-License-Identifier: MPL-2.0
//! Which model files serve when none is named: the known file names, best first, and where they are looked
//! for.

use std::path::{Path, PathBuf};

use super::error::Error;

/// Which pose model to take where several are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The first that is there of: no mask, WHENet, mask.
    #[default]
    Auto,
    /// DMHead for faces with masks: 6DRepNet in front, WHENet at the rear.
    Mask,
    /// DMHead for faces without masks: SynergyNet in front, WHENet at the rear.
    NoMask,
    /// WHENet alone, all around.
    WheNet,
}

const DETECTORS: &[&str] = &[
    "yolov7_tiny_head_0.768_post_480x640.onnx",
    "yolov4_headdetection_480x640_post.onnx",
    "yolox_n_body_head_hand_post_1x3x256x320.onnx",
    "face_detection_yunet_2023mar_dynamic.onnx",
    "centerface_dynamic.onnx",
];
const MASK: &str = "dmhead_mask_Nx3x224x224.onnx";
const NO_MASK: &str = "dmhead_nomask_Nx3x224x224.onnx";
const WHENET: &str = "whenet_Nx3x224x224_prepost.onnx";

/// The detector to use, looked for in `folders`.
///
/// # Errors
/// [`Error::NoModel`].
pub fn default_detector(folders: &[PathBuf]) -> Result<PathBuf, Error> {
    find("detector", DETECTORS, folders)
}

/// The pose model to use, looked for in `folders`.
///
/// # Errors
/// [`Error::NoModel`].
pub fn default_pose_model(mode: Mode, folders: &[PathBuf]) -> Result<PathBuf, Error> {
    let names: &[&str] = match mode {
        Mode::Auto => &[NO_MASK, WHENET, MASK],
        Mode::Mask => &[MASK],
        Mode::NoMask => &[NO_MASK],
        Mode::WheNet => &[WHENET],
    };
    find("pose", names, folders)
}

fn find(role: &'static str, names: &[&str], folders: &[PathBuf]) -> Result<PathBuf, Error> {
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
        .ok_or_else(|| Error::NoModel {
            role,
            expected: names.join(", "),
            looked_at: match folders {
                [] => "no folder at all".into(),
                folders => {
                    let folders: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
                    folders.join(", ")
                }
            },
        })
}

/// The folders where models are looked for: `chosen` alone when given; else that of the variable
/// `DMHEADPOSE_MODELS_DIR`; else the one this was built with, the user's and the system's data folders.
pub fn model_folders(chosen: Option<&Path>) -> Vec<PathBuf> {
    if let Some(chosen) = chosen {
        return vec![chosen.to_path_buf()];
    }
    if let Some(folder) = std::env::var_os("DMHEADPOSE_MODELS_DIR").filter(|v| !v.is_empty()) {
        return vec![folder.into()];
    }
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("models")];
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let user = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| home.map(|home| home.join(".local/share")));
    let system = ["/usr/local/share", "/usr/share"].map(PathBuf::from);
    folders.extend(
        user.into_iter()
            .chain(system)
            .map(|data| data.join("dmheadpose/models")),
    );
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_name_wins_over_the_first_folder() {
        let root = std::env::temp_dir().join(format!("dmheadpose-catalog-{}", std::process::id()));
        let folders = ["a", "b"].map(|name| root.join(name));
        for folder in &folders {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(folders[0].join(WHENET), "").unwrap();
        std::fs::write(folders[1].join(NO_MASK), "").unwrap();
        let found = default_pose_model(Mode::Auto, &folders).unwrap();
        assert_eq!(found, folders[1].join(NO_MASK));
        let found = default_pose_model(Mode::WheNet, &folders).unwrap();
        assert_eq!(found, folders[0].join(WHENET));
        let error = default_pose_model(Mode::Mask, &folders).unwrap_err();
        assert!(error.to_string().contains(MASK), "{error}");
        std::fs::remove_dir_all(root).unwrap();
    }
}
