package io.matryoshka.sae.internal.spark.ml;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.Selection;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.internal.spark.host.HostSae;
import io.matryoshka.sae.internal.spark.host.OpenSaes;
import io.matryoshka.sae.internal.spark.host.Selections;
import io.matryoshka.sae.stream.RowFaults;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.SerializableConfiguration;

/** Encodes the rows of a partition, some at a time; the last column holds the activations. */
public final class PartitionEncoder implements MapPartitionsFunction<Row, Row> {

  private static final long serialVersionUID = 1;

  private final HostSae ref;
  private final Broadcast<SerializableConfiguration> hadoop;
  private final EncoderColumns columns;
  private final String selection;
  private final InvalidRows invalid;
  private final int batchRows;

  public PartitionEncoder(
      HostSae ref,
      Broadcast<SerializableConfiguration> hadoop,
      EncoderColumns columns,
      String selection,
      InvalidRows invalid,
      int batchRows) {
    this.ref = ref;
    this.hadoop = hadoop;
    this.columns = columns;
    this.selection = selection;
    this.invalid = invalid;
    this.batchRows = batchRows;
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) throws IOException {
    Configuration configuration = hadoop.value().value();
    return new Encoded(OpenSaes.get(ref, configuration), rows);
  }

  /** The rows with their latents. */
  private final class Encoded implements Iterator<Row> {
    private final SAE sae;
    private final Selection rule;
    private final RowFaults faults;
    private final Iterator<Row> rows;
    private Iterator<Row> ready = List.<Row>of().iterator();

    Encoded(SAE sae, Iterator<Row> rows) {
      this.sae = sae;
      this.rows = rows;
      this.rule = Selections.parse(selection).orElse(sae.defaultSelection());
      this.faults = RowFaults.of(sae);
    }

    @Override
    public boolean hasNext() {
      while (!ready.hasNext() && rows.hasNext()) {
        ready = encode(nextBatch()).iterator();
      }
      return ready.hasNext();
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException("all rows of the partition were encoded");
      }
      return ready.next();
    }

    /** A row and its activations, {@code [tokens, d_in]}. */
    private record Pending(Row row, float[] activations) {}

    private List<Pending> nextBatch() {
      List<Pending> batch = new ArrayList<>();
      int tokens = 0;
      while (tokens < batchRows && rows.hasNext()) {
        Row row = rows.next();
        Optional<float[]> activations = activations(row);
        if (activations.isPresent()) {
          batch.add(new Pending(row, activations.get()));
          tokens += activations.get().length / sae.dIn();
        }
      }
      return batch;
    }

    /** Reads the activations of a row; empty if the row is skipped. */
    private Optional<float[]> activations(Row row) {
      int column = row.length() - 1;
      if (row.isNullAt(column)) {
        return refuse("is null");
      }
      List<Float> boxed = row.getList(column);
      boolean whole =
          columns.kind() == EncoderColumns.Kind.SEQUENCE
              ? boxed.size() % sae.dIn() == 0
              : boxed.size() == sae.dIn();
      if (!whole) {
        throw new IllegalArgumentException(
            "the column '%s' must hold d_in = %d numbers an activation, got %d"
                .formatted(columns.input(), sae.dIn(), boxed.size()));
      }
      float[] values = new float[boxed.size()];
      int next = 0;
      for (Float value : boxed) {
        if (value == null) {
          return refuse("has an element that is null");
        }
        values[next++] = value;
      }
      for (int token = 0; token < values.length / sae.dIn(); token++) {
        Optional<String> fault = faults.before(values, token);
        if (fault.isPresent()) {
          return refuse(fault.get());
        }
      }
      return Optional.of(values);
    }

    private Optional<float[]> refuse(String fault) {
      if (invalid == InvalidRows.ERROR) {
        throw new IllegalArgumentException(
            ("the column '%s' %s; correct the row, or have such rows left out"
                    + " (handleInvalid = skip)")
                .formatted(columns.input(), fault));
      }
      return Optional.empty();
    }

    private List<Row> encode(List<Pending> batch) {
      int tokens = batch.stream().mapToInt(one -> one.activations.length / sae.dIn()).sum();
      if (tokens == 0) {
        return batch.stream().map(one -> row(one, new Object[0])).toList();
      }
      FloatBuffer x = FloatBuffer.allocate(tokens * sae.dIn());
      batch.forEach(one -> x.put(one.activations));
      SparseLatents latents = sae.encodeSparse(x.flip(), tokens, rule);
      List<Row> encoded = new ArrayList<>();
      int token = 0;
      for (Pending one : batch) {
        int count = one.activations.length / sae.dIn();
        Optional<String> fault = broken(latents, token, count);
        if (fault.isEmpty()) {
          encoded.add(row(one, cells(latents, token, count)));
        } else {
          refuse(fault.get());
        }
        token += count;
      }
      return encoded;
    }

    /** Finds an activation that broke while it was normalised. */
    private Optional<String> broken(SparseLatents latents, int first, int count) {
      for (int i = first; i < first + count; i++) {
        Optional<String> fault = RowFaults.after(latents, i);
        if (fault.isPresent()) {
          return fault;
        }
      }
      return Optional.empty();
    }

    private Object[] cells(SparseLatents latents, int first, int count) {
      Object[] cells = new Object[count];
      Arrays.setAll(cells, i -> columns.type().cell(latents, first + i));
      return cells;
    }

    private Row row(Pending one, Object[] cells) {
      Object[] values = new Object[one.row.length()];
      for (int i = 0; i < values.length - 1; i++) {
        values[i] = one.row.get(i);
      }
      values[values.length - 1] = columns.kind() == EncoderColumns.Kind.SEQUENCE ? cells : cells[0];
      return RowFactory.create(values);
    }
  }
}
