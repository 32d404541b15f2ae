package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.spark.host.HostSae;
import io.matryoshka.sae.internal.spark.host.OpenSaes;
import io.matryoshka.sae.internal.spark.store.RowsRef;
import io.matryoshka.sae.internal.spark.store.SourceRef;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.io.Serializable;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What all tasks of a job read: the SAE, the activations and which rows count. Broadcast, so that
 * an executor has one and opens its parts once.
 */
public final class JobInput implements Serializable {

  private static final long serialVersionUID = 1;

  private final HostSae sae;
  private final SourceRef source;
  private final SourceRef target;
  private final boolean hasTarget;
  private final RowsRef rows;
  private final SerializableConfiguration hadoop;

  private transient ActivationSource openSource;
  private transient ActivationSource openTarget;
  private transient RowRules openRows;

  JobInput(
      HostSae sae,
      ActivationSource source,
      ActivationSource target,
      RowRules rows,
      Configuration hadoop)
      throws IOException {
    this.sae = sae;
    this.source = SourceRef.of(source);
    this.hasTarget = target != source;
    this.target = hasTarget ? SourceRef.of(target) : this.source;
    this.rows = RowsRef.of(rows);
    this.hadoop = new SerializableConfiguration(hadoop);
  }

  Configuration hadoop() {
    return hadoop.value();
  }

  SAE sae() throws IOException {
    return OpenSaes.get(sae, hadoop());
  }

  synchronized ActivationSource source() throws IOException {
    if (openSource == null) {
      openSource = source.open(hadoop());
    }
    return openSource;
  }

  /** What reconstructions should be; the source itself but for a transcoder. */
  synchronized ActivationSource target() throws IOException {
    if (openTarget == null) {
      openTarget = hasTarget ? target.open(hadoop()) : source();
    }
    return openTarget;
  }

  synchronized RowRules rows() {
    if (openRows == null) {
      openRows = rows.open(hadoop());
    }
    return openRows;
  }
}
