package io.matryoshka.sae.internal.serve;

import io.matryoshka.sae.internal.serve.view.ContinuationView;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Future;

/** Generates the sides of a continuation next to each other and sends their tokens. */
final class Continuations {

  private final ContinuationView view;
  private final Desk desk;
  private final Call call;

  Continuations(ContinuationView view, Desk desk, Call call) {
    this.view = view;
    this.desk = desk;
    this.call = call;
  }

  /** Returns when all is sent; throws why a side failed, which ends the others. */
  void run() throws Exception {
    List<ContinuationView.Side> sides = view.sides();
    List<Future<Optional<Exception>>> others = new ArrayList<>();
    for (ContinuationView.Side side : sides.subList(1, sides.size())) {
      others.add(desk.streaming().submit(() -> generate(side)));
    }
    List<Exception> failures = new ArrayList<>();
    generate(sides.get(0)).ifPresent(failures::add);
    for (Future<Optional<Exception>> other : others) {
      other.get().ifPresent(failures::add);
    }
    if (failures.isEmpty()) {
      call.lastLine(view.done());
      return;
    }
    // Where one failed, the others were cancelled.
    throw failures.stream()
        .filter(failure -> !(failure instanceof CancellationException))
        .findFirst()
        .orElse(failures.get(0));
  }

  private Optional<Exception> generate(ContinuationView.Side side) {
    try {
      view.generate(side, desk.passes(), call.cancellation(), call::line);
      return Optional.empty();
    } catch (Exception e) {
      call.cancellation().cancel();
      return Optional.of(e);
    }
  }
}
