// SPDX-License-Identifier: MPL-2.0
//! The model files to use when none is named: the known file names, best first, and the folders to search.

use std::path::{Path, PathBuf};

use super::choices::choices;
use super::error::Error;

choices! {
    /// Which pose models to take where several are there.
    pub enum Mode in modes {
        #[default]
        Auto, "auto", "The first that is there: nomask, 3DDFA_V2 in front of TurnNet, turnnet, dual, whenet, mask";
        TurnNet, "turnnet", "TurnNet alone, every side, with an uncertainty";
        Dual, "dual", "3DDFA_V2 in front, WHENet at the rear";
        /// 6DRepNet in front, WHENet at the rear.
        Mask, "mask", "DMHead for faces with masks";
        /// SynergyNet in front, WHENet at the rear.
        NoMask, "nomask", "DMHead for faces without masks";
        WheNet, "whenet", "WHENet alone, all around";
    }
}

const DETECTORS: &[&str] = &[
    "yolov7_tiny_head_0.768_post_480x640.onnx",
    "yolov4_headdetection_480x640_post.onnx",
    "headnet.onnx",
    "yolox_n_body_head_hand_post_1x3x256x320.onnx",
    "face_detection_yunet_2023mar_dynamic.onnx",
    "centerface_dynamic.onnx",
];
const MASK: &str = "dmhead_mask_Nx3x224x224.onnx";
const NO_MASK: &str = "dmhead_nomask_Nx3x224x224.onnx";
const TURNNET: &str = "turnnet.onnx";
const FRONT: &str = "3ddfa_v2_mb1_Nx3x120x120.onnx";
const WHENET: &str = "whenet_Nx3x224x224_prepost.onnx";

/// The detector to use, looked for in `folders`.
///
/// # Errors
/// [`Error::NoModel`].
pub fn default_detector(folders: &[PathBuf]) -> Result<PathBuf, Error> {
    let mut found = DETECTORS.iter().filter_map(|name| first_of(name, folders));
    found
        .next()
        .ok_or_else(|| missing("detector", DETECTORS.join(", "), folders))
}

/// The files that estimate poses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoseModels {
    /// The only one, or the one for heads seen from the front.
    pub pose: PathBuf,
    pub rear: Option<PathBuf>,
}

/// What a mode may choose: one file, or a front and a rear one.
type Choice = (&'static str, Option<&'static str>);

fn find(&(pose, rear): &Choice, folders: &[PathBuf]) -> Option<PoseModels> {
    let pose = first_of(pose, folders)?;
    let rear = match rear {
        Some(rear) => Some(first_of(rear, folders)?),
        None => None,
    };
    Some(PoseModels { pose, rear })
}

/// The pose models to use, looked for in `folders`.
///
/// # Errors
/// [`Error::NoModel`].
pub fn default_pose_models(mode: Mode, folders: &[PathBuf]) -> Result<PoseModels, Error> {
    let choices: &[Choice] = match mode {
        Mode::Auto => &[
            (NO_MASK, None),
            (FRONT, Some(TURNNET)),
            (TURNNET, None),
            (FRONT, Some(WHENET)),
            (WHENET, None),
            (MASK, None),
        ],
        Mode::TurnNet => &[(TURNNET, None)],
        Mode::Dual => &[(FRONT, Some(WHENET))],
        Mode::Mask => &[(MASK, None)],
        Mode::NoMask => &[(NO_MASK, None)],
        Mode::WheNet => &[(WHENET, None)],
    };
    let mut found = choices.iter().filter_map(|choice| find(choice, folders));
    found.next().ok_or_else(|| {
        let names = choices.iter().map(|(pose, rear)| match rear {
            Some(rear) => format!("{pose} with {rear}"),
            None => pose.to_string(),
        });
        missing("pose", names.collect::<Vec<_>>().join(", "), folders)
    })
}

fn first_of(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let mut paths = folders.iter().map(|folder| folder.join(name));
    paths.find(|path| path.is_file())
}

fn missing(role: &'static str, expected: String, folders: &[PathBuf]) -> Error {
    let folders: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
    Error::NoModel {
        role,
        expected,
        looked_at: if folders.is_empty() {
            "no folder at all".into()
        } else {
            folders.join(", ")
        },
    }
}

/// The folders where models are looked for: `chosen` alone when given; else that of the variable
/// `DMHEADPOSE_MODELS_DIR`; else the system's and the user's data folders. A plugin or program that runs from
/// where it was built looks in the `models` folder of its sources first. `beside` is the folder of the plugin's
/// file; `None`: that of the program.
pub fn model_folders(chosen: Option<&Path>, beside: Option<&Path>) -> Vec<PathBuf> {
    if let Some(chosen) = chosen {
        return vec![chosen.to_path_buf()];
    }
    if let Some(folder) = std::env::var_os("DMHEADPOSE_MODELS_DIR").filter(|v| !v.is_empty()) {
        return vec![folder.into()];
    }
    let program = std::env::current_exe().ok();
    let beside = beside.or_else(|| program.as_deref()?.parent());
    let sources = beside
        .and_then(sources)
        .map(|sources| sources.join("models"));
    let mut folders: Vec<_> = sources.into_iter().collect();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let user = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| home.map(|home| home.join(".local/share")));
    let system = ["/usr/local/share", "/usr/share"].map(PathBuf::from);
    let data = system.into_iter().chain(user);
    folders.extend(data.map(|folder| folder.join("dmheadpose/models")));
    folders
}

/// The folder of the sources, where `beside` is within what cargo built from them. Once installed, neither plugin
/// nor tools depend on a path that may belong to other software.
pub fn sources(beside: &Path) -> Option<PathBuf> {
    // As in target/release/build/gst-plugin-dmheadpose-0123/out.
    let built = Path::new(env!("OUT_DIR")).ancestors().nth(3)?;
    let within = beside
        .canonicalize()
        .ok()?
        .starts_with(built.canonicalize().ok()?);
    within.then(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_plugin_ignores_the_folder_of_its_sources() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
        // Tests run from where they were built.
        assert_eq!(model_folders(None, None).first(), Some(&sources));
        let installed = std::env::temp_dir();
        let folders = model_folders(None, Some(&installed));
        assert!(!folders.contains(&sources), "{folders:?}");
        let system = Path::new("/usr/local/share/dmheadpose/models");
        assert_eq!(folders[0], system, "before the user's own");
        assert_eq!(model_folders(Some(&installed), None), [installed]);
    }

    #[test]
    fn the_best_name_wins_over_the_first_folder() {
        let root = std::env::temp_dir().join(format!("dmheadpose-catalog-{}", std::process::id()));
        let folders = ["a", "b"].map(|name| root.join(name));
        for folder in &folders {
            std::fs::create_dir_all(folder).unwrap();
        }
        let put =
            |folder: usize, name: &str| std::fs::write(folders[folder].join(name), "").unwrap();
        let one = |folder: usize, name: &str| PoseModels {
            pose: folders[folder].join(name),
            rear: None,
        };
        let found = |mode| default_pose_models(mode, &folders).map_err(|error| error.to_string());
        put(0, FRONT);
        let error = found(Mode::Auto).unwrap_err();
        assert!(
            error.contains(&format!("{FRONT} with {WHENET}, {WHENET}")),
            "a front alone: {error}"
        );
        put(1, WHENET);
        let pair = PoseModels {
            rear: Some(folders[1].join(WHENET)),
            ..one(0, FRONT)
        };
        assert_eq!(found(Mode::Auto).as_ref(), Ok(&pair));
        assert_eq!(found(Mode::WheNet), Ok(one(1, WHENET)));
        put(1, TURNNET);
        let with_turnnet = PoseModels {
            rear: Some(folders[1].join(TURNNET)),
            ..one(0, FRONT)
        };
        assert_eq!(found(Mode::Auto), Ok(with_turnnet));
        assert_eq!(found(Mode::TurnNet), Ok(one(1, TURNNET)));
        assert_eq!(found(Mode::Dual), Ok(pair));
        put(1, NO_MASK);
        assert_eq!(found(Mode::Auto), Ok(one(1, NO_MASK)), "DMHead's own");
        let error = found(Mode::Mask).unwrap_err();
        assert!(error.contains(MASK), "{error}");
        std::fs::remove_dir_all(root).unwrap();
    }
}
