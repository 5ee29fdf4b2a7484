// SPDX-License-Identifier: MPL-2.0
//! Which family a detector is of, and what its contract says: the one place that knows all of them.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::runtime::{Outputs, Signature};
use super::{
    DecodeSettings, Detection, InputContract, centerface, face, post, rows, yolov8, yolox, yunet,
};

/// Which output contract a detector keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DetectorFamily {
    /// Recognised by the graph's signature.
    #[default]
    Auto,
    /// Scores and boxes with NMS inside: the YOLOv4 and YOLOv7-tiny head detectors of DMHead.
    Post,
    /// Rows of batch, class, score and corners with NMS inside: YOLOX and later body-head-hand models.
    Rows,
    /// YuNet, a face detector; its boxes are grown to heads.
    YuNet,
    /// CenterFace, a face detector; its boxes are grown to heads.
    CenterFace,
    /// YOLOX as trained, cells as offsets from the grid.
    Yolox,
    /// YOLOX whose graph turns cells into pixels. The signature is that of [`Self::Yolox`], which is
    /// therefore what `Auto` takes.
    YoloxDecoded,
    /// YOLOv8, v9, v11 and their like, without NMS.
    Yolov8,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Family {
    Post(post::Post),
    Rows(rows::Rows),
    YuNet(yunet::YuNet),
    CenterFace(centerface::CenterFace),
    Yolox(yolox::Yolox),
    Yolov8(yolov8::Yolov8),
}

/// One way to recognise a signature.
struct Contract {
    family: DetectorFamily,
    recognise: fn(&Signature) -> Option<Family>,
    expected: &'static str,
}

const CONTRACTS: [Contract; 7] = [
    Contract {
        family: DetectorFamily::Post,
        recognise: |s| post::Post::recognise(s).map(Family::Post),
        expected: post::EXPECTED,
    },
    Contract {
        family: DetectorFamily::Rows,
        recognise: |s| rows::Rows::recognise(s).map(Family::Rows),
        expected: rows::EXPECTED,
    },
    Contract {
        family: DetectorFamily::YuNet,
        recognise: |s| yunet::YuNet::recognise(s).map(Family::YuNet),
        expected: yunet::EXPECTED,
    },
    Contract {
        family: DetectorFamily::CenterFace,
        recognise: |s| centerface::CenterFace::recognise(s).map(Family::CenterFace),
        expected: centerface::EXPECTED,
    },
    Contract {
        family: DetectorFamily::Yolox,
        recognise: |s| yolox::Yolox::recognise(s, false).map(Family::Yolox),
        expected: yolox::EXPECTED,
    },
    Contract {
        family: DetectorFamily::YoloxDecoded,
        recognise: |s| yolox::Yolox::recognise(s, true).map(Family::Yolox),
        expected: yolox::EXPECTED,
    },
    Contract {
        family: DetectorFamily::Yolov8,
        recognise: |s| yolov8::Yolov8::recognise(s).map(Family::Yolov8),
        expected: yolov8::EXPECTED,
    },
];

/// The contracts to try, in this order.
fn contracts(wanted: DetectorFamily) -> impl Iterator<Item = &'static Contract> {
    CONTRACTS.iter().filter(move |contract| match wanted {
        DetectorFamily::Auto => contract.family != DetectorFamily::YoloxDecoded,
        wanted => contract.family == wanted,
    })
}

impl Family {
    pub fn recognise(signature: &Signature, wanted: DetectorFamily) -> Option<Self> {
        contracts(wanted).find_map(|contract| (contract.recognise)(signature))
    }

    pub fn expected(wanted: DetectorFamily) -> String {
        let expected: Vec<_> = contracts(wanted).map(|c| c.expected).collect();
        let expected = expected.join(" or ");
        match wanted {
            DetectorFamily::Auto => format!("the signature of a detector, one of: {expected}"),
            _ => expected,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Post(_) => "post",
            Self::Rows(_) => "rows",
            Self::YuNet(_) => "yunet",
            Self::CenterFace(_) => "centerface",
            Self::Yolox(family) => family.name(),
            Self::Yolov8(_) => "yolov8",
        }
    }

    pub fn input(&self) -> InputContract {
        match self {
            Self::Post(family) => family.input(),
            Self::Rows(family) => family.input(),
            Self::YuNet(family) => family.input(),
            Self::CenterFace(family) => family.input(),
            Self::Yolox(family) => family.input(),
            Self::Yolov8(family) => family.input(),
        }
    }

    pub fn score_threshold(&self) -> f32 {
        match self {
            Self::Post(_) => post::SCORE_THRESHOLD,
            Self::Rows(_) => rows::SCORE_THRESHOLD,
            Self::YuNet(_) => yunet::SCORE_THRESHOLD,
            Self::CenterFace(_) => centerface::SCORE_THRESHOLD,
            Self::Yolox(_) => yolox::SCORE_THRESHOLD,
            Self::Yolov8(_) => yolov8::SCORE_THRESHOLD,
        }
    }

    /// Appends the boxes in pixels of the network's input.
    pub fn decode(
        &self,
        outputs: &Outputs<'_>,
        settings: &DecodeSettings,
        boxes: &mut Vec<Detection>,
    ) -> Result<(), Error> {
        match self {
            Self::Post(family) => family.decode(outputs, settings, boxes),
            Self::Rows(family) => family.decode(outputs, settings, boxes),
            Self::YuNet(family) => family.decode(outputs, settings, boxes),
            Self::CenterFace(family) => family.decode(outputs, settings, boxes),
            Self::Yolox(family) => family.decode(outputs, settings, boxes),
            Self::Yolov8(family) => family.decode(outputs, settings, boxes),
        }
    }

    /// The head that a detected box stands for.
    pub fn head(&self, rect: Rect) -> Rect {
        match self {
            Self::YuNet(_) | Self::CenterFace(_) => face::grow_to_head(rect),
            Self::Post(_) | Self::Rows(_) | Self::Yolox(_) | Self::Yolov8(_) => rect,
        }
    }
}
