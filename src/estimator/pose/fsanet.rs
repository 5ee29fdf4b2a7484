// SPDX-License-Identifier: MPL-2.0
//! FSA-Net: three angles from a crop of 64x64.
//!
//! Output float32 `[N, 3]`, degrees: yaw, pitch, roll, unless the output's name lists them otherwise. The
//! input's layout tells whose network it is:
//! - `[N, 64, 64, 3]`: the paper's own Keras networks, BGR 0..=255 as they were trained and tested
//!   (`TYY_create_db_type1`, `FSANET_test`); the stretch of the contrast in its webcam demos is not done here;
//! - `[N, 3, 64, 64]`: the PyTorch port (headpose-fsanet-pytorch), BGR, (level - 127.5) / 128.
//!
//! The networks saw faces with 0.6 of the face's size around: `crop-mode` and `crop-margin` change what
//! they get to see. A file wrapped as DMHead's are (any other size, or an output named as theirs) is of
//! the family `dmhead`.

use super::super::error::Error;
use super::super::geometry::Size;
use super::super::image::tensor::{ChannelOrder, Layout, PixelEncoding};
use super::super::onnx::{Outputs, Signature};
use super::columns;
use super::family::{Answers, Contract, CropInput, Family, InputContract, boxed};

pub(super) const CONTRACT: Contract = Contract {
    expected: "FSA-Net (crops float32[N,3,64,64] or [N,64,64,3]) -> (yaw, pitch, roll float32[N,3])",
    recognise: |signature, named| {
        let family = match named {
            true => FsaNet::recognise_any(signature),
            false => FsaNet::recognise(signature),
        };
        family.map(boxed)
    },
};

const SIZE: Size = Size::new(64, 64);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FsaNet {
    columns: [usize; 3],
}

impl FsaNet {
    /// Without the outputs that are named as DMHead names them.
    pub fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        Self::recognise_any(signature).filter(|(_, family)| family.columns != columns::DMHEAD)
    }

    pub fn recognise_any(signature: &Signature) -> Option<(InputContract, Self)> {
        let input = CropInput::of(signature)?;
        let output = signature.only_output()?;
        if input.size != SIZE || !matches!(output.shape[..], [_, 3]) {
            return None;
        }
        let encoding = match input.layout {
            Layout::Nhwc => PixelEncoding::levels(ChannelOrder::Bgr),
            Layout::Nchw => PixelEncoding::centred(ChannelOrder::Bgr),
        };
        let columns = columns::order(&output.name).unwrap_or([0, 1, 2]);
        Some((input.encoded(encoding), Self { columns }))
    }
}

impl Family for FsaNet {
    fn decode(&self, outputs: &Outputs<'_>, answers: &mut Answers<'_>) -> Result<(), Error> {
        let rows = outputs.values::<f32>(0)?;
        answers.extend(columns::rows(rows, self.columns));
        Ok(())
    }
}
