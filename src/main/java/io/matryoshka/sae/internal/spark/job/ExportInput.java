package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.internal.spark.host.HostModel;
import io.matryoshka.sae.internal.spark.host.OpenModels;
import io.matryoshka.sae.internal.spark.store.StoreFolder;
import io.matryoshka.sae.lm.ActivationExport;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What all tasks of an export have alike.
 *
 * @param model the language model, resolved by the driver
 * @param hooks names of the places that are read
 * @param bfloat16 whether activations are rounded
 * @param folder where the files go, with its file system
 * @param settings how to reach it
 */
public record ExportInput(
    HostModel model,
    ArrayList<String> hooks,
    boolean bfloat16,
    String folder,
    SerializableConfiguration settings)
    implements Serializable {

  Configuration hadoop() {
    return settings.value();
  }

  StoreFolder store() throws IOException {
    return StoreFolder.of(new Path(folder), hadoop());
  }

  /** Opens the model on this host, and says in files what does not depend on the host. */
  ActivationExport export() throws IOException {
    return new ActivationExport(
            OpenModels.get(model, hadoop()), hooks, bfloat16, rows -> Tasks.stopIfKilled())
        .as(model.name(), model.identity());
  }
}
