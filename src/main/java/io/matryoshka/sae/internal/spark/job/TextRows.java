package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.internal.spark.store.HadoopPaths;
import io.matryoshka.sae.internal.spark.store.StoreFolder;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** The activations of texts, in a folder that all hosts see, while jobs of an SAE read them. */
public final class TextRows {

  private final SaeJobs sae;
  private final List<Tokens> texts;
  private final TextSettings settings;
  private final SpecialTokens special;
  private final ExportJob job;
  private final boolean wasFinished;
  private final Path folder;
  private final StoreFolder maskFolder;
  private boolean hasMask;

  TextRows(
      SaeJobs sae,
      List<Tokens> texts,
      TextSettings settings,
      SpecialTokens special,
      ExportJob job,
      boolean wasFinished,
      Configuration hadoop)
      throws IOException {
    this.sae = sae;
    this.texts = texts;
    this.settings = settings;
    this.special = special;
    this.job = job;
    this.wasFinished = wasFinished;
    this.folder = HadoopPaths.qualify(settings.folder(), hadoop);
    this.maskFolder = StoreFolder.of(new Path(folder, SpecialTokens.FOLDER), hadoop);
  }

  /** Opens the activations of the SAE's hook point. */
  public ActivationSource open() throws IOException {
    return sae.open(
        List.of(folder.toString()),
        SourceOptions.of(sae.sae()).tensor(HookPoint.of(sae.sae()).toString()));
  }

  /**
   * Leaves out rows of special tokens where the SAE was trained without them or the user asks for
   * it, unless the rules have a mask.
   */
  public RowRules withoutSpecial(RowRules given) throws IOException {
    boolean asked =
        settings.skipsSpecialTokens() || PackingOptions.excludesSpecialTokens(sae.sae());
    if (!asked || given.mask().isPresent()) {
      return given;
    }
    special.warnIfUnknown();
    if (!special.areKnown()) {
      return given;
    }
    RowMask mask = special.write(texts, maskFolder);
    hasMask = true;
    return given.mask(mask);
  }

  /** Deletes what this has written, but activations that are kept or were there before. */
  public void deleteUnlessKept() throws IOException {
    if (settings.keeps()) {
      return;
    }
    if (hasMask) {
      SpecialTokens.delete(maskFolder);
    }
    if (!wasFinished) {
      job.delete(texts, settings.tokensPerFile());
    }
  }
}
