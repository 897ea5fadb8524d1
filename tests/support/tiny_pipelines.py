"""Real pipelines of every family with random weights: each class is the real one, only small.

Layers that start at zero are filled with noise too: a test of layers that compute nothing would
say nothing. Tokenizers read characters; their words are nobody's.
"""

import os
from collections.abc import Callable
from typing import Any

from diffusers import (
    AnimateDiffPipeline,
    AutoencoderKL,
    AutoencoderKLCogVideoX,
    AutoencoderKLLTXVideo,
    AutoencoderKLWan,
    CogVideoXDDIMScheduler,
    CogVideoXPipeline,
    CogVideoXTransformer3DModel,
    DDIMScheduler,
    DiffusionPipeline,
    FlowMatchEulerDiscreteScheduler,
    LTXPipeline,
    LTXVideoTransformer3DModel,
    MotionAdapter,
    TextToVideoSDPipeline,
    UNet2DConditionModel,
    UNet3DConditionModel,
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from tiny_cascade import randomised
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
    UMT5Config,
    UMT5EncoderModel,
)

CHARACTERS = [chr(code) for code in range(33, 127)]
WORDS = 32  # width of all text encoders


def clip_tokenizer() -> CLIPTokenizer:
    """Return a CLIP tokenizer whose tokens are single characters, 20 a prompt."""
    tokens = [*CHARACTERS, *(f"{c}</w>" for c in CHARACTERS), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer({t: i for i, t in enumerate(tokens)}, [], model_max_length=20)


def t5_tokenizer() -> T5Tokenizer:
    """Return a T5 tokenizer (a unigram model) whose tokens are single characters."""
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    return T5Tokenizer([*special, *((c, -3.0) for c in CHARACTERS)], extra_ids=0)


def clip_encoder() -> CLIPTextModel:
    """Return a CLIP text encoder of two layers."""
    end = len(clip_tokenizer()) - 1
    config = CLIPTextConfig(
        vocab_size=end + 1,
        hidden_size=WORDS,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        max_position_embeddings=20,
        bos_token_id=end - 1,
        eos_token_id=end,
        pad_token_id=end,
    )
    return randomised(CLIPTextModel(config), seed=1)


def t5_encoder(config: type = T5Config, model: type = T5EncoderModel) -> Any:
    """Return a T5 or UMT5 encoder of two layers."""
    sizes = {"d_model": WORDS, "d_ff": 37, "d_kv": 8, "num_heads": 4, "num_layers": 2}
    return randomised(model(config(vocab_size=len(t5_tokenizer()), **sizes)), seed=1)


def frame_vae() -> AutoencoderKL:
    """Return Stable Diffusion's autoencoder of pictures; this one makes them 4 times smaller."""
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=4,
        norm_num_groups=4,
    )
    return randomised(vae, seed=2)


def wan_transformer(seed: int, channels: int = 16) -> WanTransformer3DModel:
    """Return Wan's transformer of two layers."""
    transformer = WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=channels,
        out_channels=channels,
        text_dim=WORDS,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        rope_max_seq_len=32,
    )
    return randomised(transformer, seed)


def tiny_wan(*, experts: int = 1, seed: int = 0) -> WanPipeline:
    """Return Wan 2.1, or 2.2 with two experts, as their model_index.json describes them."""
    transformers = [wan_transformer(seed + number) for number in range(experts)]
    vae = AutoencoderKLWan(base_dim=3, dim_mult=[1, 1, 1, 1], num_res_blocks=1)
    return WanPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder(UMT5Config, UMT5EncoderModel),
        vae=randomised(vae, seed=2),
        scheduler=UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        transformer=transformers[0],
        transformer_2=transformers[1] if experts == 2 else None,
        boundary_ratio=0.875 if experts == 2 else None,
    )


def tiny_wan_5b(*, seed: int = 0) -> WanPipeline:
    """Return Wan 2.2 as 5B is built: a timestep for every token, an autoencoder of 16 x 16."""
    vae = AutoencoderKLWan(
        base_dim=4,
        z_dim=8,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        in_channels=12,
        out_channels=12,
        is_residual=True,
        patch_size=2,
        scale_factor_spatial=16,
        latents_mean=[0.1] * 8,
        latents_std=[1.3] * 8,
    )
    whole = tiny_wan(seed=seed)
    changed = {"vae": randomised(vae, seed=2), "transformer": wan_transformer(seed, channels=8)}
    parts = {**whole.components, **changed}
    return WanPipeline(**parts, expand_timesteps=True)


def tiny_cogvideox(*, rotary: bool = False, seed: int = 0) -> CogVideoXPipeline:
    """Return CogVideoX: as 2B is built, or with the rotary embeddings of 5B."""
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=WORDS,
        num_layers=2,
        sample_width=4,
        sample_height=4,
        sample_frames=9,
        use_rotary_positional_embeddings=rotary,
    )
    vae = AutoencoderKLCogVideoX(
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
    )
    return CogVideoXPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder(),
        vae=randomised(vae, seed=2),
        transformer=randomised(transformer, seed),
        scheduler=CogVideoXDDIMScheduler(
            prediction_type="v_prediction",
            rescale_betas_zero_snr=True,
            snr_shift_scale=3.0,
            timestep_spacing="trailing",
        ),
    )


def ltx_vae() -> AutoencoderKLLTXVideo:
    """Return LTX-Video's autoencoder without patches: 8 times smaller, 8k + 1 frames."""
    vae = AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        patch_size=1,
    )
    return randomised(vae, seed=2)


def tiny_ltx(*, seed: int = 0) -> LTXPipeline:
    """Return LTX-Video 0.9.0, its schedule as published: shifted by the length, ending at 0.1."""
    transformer = LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=2,
        attention_head_dim=16,
        cross_attention_dim=32,
        num_layers=2,
        caption_channels=WORDS,
    )
    scheduler = FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True,
        base_image_seq_len=1024,
        max_image_seq_len=4096,
        base_shift=0.95,
        max_shift=2.05,
        shift_terminal=0.1,
    )
    return LTXPipeline(
        scheduler=scheduler,
        vae=ltx_vae(),
        text_encoder=t5_encoder(),
        tokenizer=t5_tokenizer(),
        transformer=randomised(transformer, seed),
    )


def tiny_modelscope(*, seed: int = 0) -> TextToVideoSDPipeline:
    """Return ModelScope's text-to-video model, which zeroscope is finetuned from."""
    unet = UNet3DConditionModel(
        block_out_channels=(16, 16),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        cross_attention_dim=WORDS,
        attention_head_dim=4,
        norm_num_groups=4,
    )
    return TextToVideoSDPipeline(
        vae=frame_vae(),
        text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(),
        unet=randomised(unet, seed),
        scheduler=DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
    )


def tiny_animatediff(*, seed: int = 0) -> AnimateDiffPipeline:
    """Return Stable Diffusion's U-Net with AnimateDiff's motion modules."""
    unet = UNet2DConditionModel(
        block_out_channels=(16, 16),
        layers_per_block=1,
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WORDS,
        attention_head_dim=4,
        norm_num_groups=4,
    )
    adapter = MotionAdapter(
        block_out_channels=(16, 16),
        motion_layers_per_block=1,
        motion_norm_num_groups=4,
        motion_num_attention_heads=2,
    )
    return AnimateDiffPipeline(
        vae=frame_vae(),
        text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(),
        unet=randomised(unet, seed),
        motion_adapter=randomised(adapter, seed + 1),
        scheduler=DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="linear",
            clip_sample=False,
            timestep_spacing="linspace",
            steps_offset=1,
        ),
    )


def tiny_wan22(*, seed: int = 0) -> WanPipeline:
    """Return Wan 2.2: an expert for much noise, another for little."""
    return tiny_wan(experts=2, seed=seed)


def tiny_cogvideox_5b(*, seed: int = 0) -> CogVideoXPipeline:
    """Return CogVideoX as 5B is built: rotary embeddings."""
    return tiny_cogvideox(rotary=True, seed=seed)


TINY: dict[str, Callable[..., DiffusionPipeline]] = {
    "wan2.1": tiny_wan,
    "wan2.2": tiny_wan22,
    "wan2.2-5b": tiny_wan_5b,
    "cogvideox-2b": tiny_cogvideox,
    "cogvideox-5b": tiny_cogvideox_5b,
    "ltx-2b": tiny_ltx,
    "modelscope": tiny_modelscope,
    "animatediff": tiny_animatediff,
}


def device() -> str:
    """Return where pipelines are tested: on the processor, or as pytest's --device says."""
    return os.environ.get("DREAMIX_TEST_DEVICE", "cpu")


def quiet(pipe: Any) -> Any:
    """Return a pipeline that shows no bars, on the device of the tests."""
    pipe.set_progress_bar_config(disable=True)
    return pipe if device() == "cpu" else pipe.to(device())
