package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.Selection;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.internal.spark.host.Selections;
import io.matryoshka.sae.internal.spark.ml.LatentCells;
import io.matryoshka.sae.stream.ActivationBatches;
import io.matryoshka.sae.stream.BatchEncoder;
import io.matryoshka.sae.stream.EncodedBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.TaskCompletionListener;

/** Encodes a range of whole batches to rows of a data frame. */
public final class LatentRows implements FlatMapFunction<RowRange, Row> {

  private static final long serialVersionUID = 1;

  /** The number of the row, its active latents in rising order, and their activations. */
  static final StructType SCHEMA =
      new StructType()
          .add("row", DataTypes.LongType, false)
          .add("latents", DataTypes.createArrayType(DataTypes.IntegerType, false), false)
          .add("values", DataTypes.createArrayType(DataTypes.FloatType, false), false);

  private final Broadcast<JobInput> input;
  private final String selection;
  private final int batchRows;

  LatentRows(Broadcast<JobInput> input, Optional<Selection> selection, int batchRows) {
    this.input = input;
    this.selection = Selections.write(selection);
    this.batchRows = batchRows;
  }

  @Override
  public Iterator<Row> call(RowRange range) throws Exception {
    return Tasks.run(() -> new Encoded(range));
  }

  /** The rows of a range, a batch of them in memory at a time. */
  private final class Encoded implements Iterator<Row> {
    private final BatchEncoder encoder;
    private final ActivationBatches batches;
    private Iterator<Row> ready = List.<Row>of().iterator();

    Encoded(RowRange range) throws IOException {
      JobInput job = input.value();
      encoder = new BatchEncoder(job.sae(), job.source(), Selections.parse(selection), job.rows());
      batches = job.source().batches(batchRows, range.from(), range.to());
      TaskContext.get().addTaskCompletionListener((TaskCompletionListener) context -> close());
    }

    private void close() {
      try {
        batches.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public boolean hasNext() {
      while (!ready.hasNext() && batches.hasNext()) {
        ready = encodeNext().iterator();
      }
      return ready.hasNext();
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException("all rows of the range were encoded");
      }
      return ready.next();
    }

    private List<Row> encodeNext() {
      Tasks.stopIfKilled();
      try {
        return Tasks.run(() -> rows(encoder.encode(batches.next())));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }

    private List<Row> rows(EncodedBatch batch) {
      SparseLatents latents = batch.allRows();
      List<Row> rows = new ArrayList<>(batch.rows());
      for (int row = 0; row < batch.rows(); row++) {
        LatentCells cells = LatentCells.of(latents, row);
        rows.add(RowFactory.create(batch.firstRow() + row, cells.latents(), cells.values()));
      }
      return rows;
    }
  }
}
