package io.matryoshka.sae.internal.cli;

import ai.djl.Device;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.safetensors.Dtype;
import java.util.List;
import java.util.Optional;

/**
 * Which SAE the user named, and how it is to be loaded, as the options of {@link LoadMixin} say.
 *
 * @param dir the folder, a path or a URI; empty where a release is named
 * @param release the release or repository
 * @param saeId the SAE of it; empty for a folder, and for one at the top of a repository
 * @param prefix width that is loaded; empty for all
 * @param widths Matryoshka widths; none for those of the files
 * @param scalingFactor factor on activations
 * @param device where to compute
 * @param dtype type of the weights; empty for that of the files
 * @param foldDecoderNorms whether latents are multiplied by the norms of decoder rows
 * @param engine the implementation
 * @param preparedCache whether prepared encoders are kept on disk
 */
record LoadSettings(
    Optional<String> dir,
    Optional<String> release,
    String saeId,
    Optional<Integer> prefix,
    List<Integer> widths,
    Optional<Double> scalingFactor,
    Device device,
    Optional<Dtype> dtype,
    boolean foldDecoderNorms,
    LoadOptions.Engine engine,
    boolean preparedCache) {}
