package io.matryoshka.sae.internal.torchzip;

import io.matryoshka.sae.internal.torchzip.PickleValue.Dictionary;
import io.matryoshka.sae.internal.torchzip.PickleValue.Mark;
import io.matryoshka.sae.internal.torchzip.PickleValue.Sequence;
import io.matryoshka.sae.internal.torchzip.PickleValue.Text;
import io.matryoshka.sae.internal.torchzip.PickleValue.Whole;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The stack and the memo of a pickle, bounded in what they hold. */
final class PickleStack {

  /** A pickle that breaks the rules of its own format; the reader adds the place. */
  static final class Fault extends Exception {

    private static final long serialVersionUID = 1L;

    Fault(String message) {
      super(message);
    }
  }

  private final List<PickleValue> values = new ArrayList<>();
  private final Map<Integer, PickleValue> memo = new HashMap<>();
  private int steps;

  void push(PickleValue value) throws Fault {
    count(1);
    values.add(value);
  }

  /** Every push and every entry counts, so that neither stack, memo nor containers outgrow this. */
  private void count(int more) throws Fault {
    steps += more;
    if (steps > PickleReader.MAX_OBJECTS) {
      throw new Fault("more than " + PickleReader.MAX_OBJECTS + " values, which is the limit");
    }
  }

  /** Takes the uppermost values, in the order in which they were pushed. */
  List<PickleValue> pop(int count) throws Fault {
    int begin = values.size() - count;
    if (begin < 0 || values.subList(begin, values.size()).contains(Mark.MARK)) {
      throw new Fault("needs " + count + " values, but there are fewer");
    }
    return take(begin);
  }

  /** Takes the values above the uppermost mark, and the mark. */
  List<PickleValue> popToMark() throws Fault {
    int mark = values.size() - 1;
    while (mark >= 0 && values.get(mark) != Mark.MARK) {
      mark--;
    }
    if (mark < 0) {
      throw new Fault("needs a mark, but there is none");
    }
    List<PickleValue> taken = take(mark + 1);
    values.remove(mark);
    return taken;
  }

  private List<PickleValue> take(int begin) {
    List<PickleValue> above = values.subList(begin, values.size());
    List<PickleValue> taken = List.copyOf(above);
    above.clear();
    return taken;
  }

  PickleValue top() throws Fault {
    if (values.isEmpty() || values.get(values.size() - 1) == Mark.MARK) {
      throw new Fault("needs a value, but there is none");
    }
    return values.get(values.size() - 1);
  }

  void pushTuple(List<PickleValue> items) throws Fault {
    push(new Sequence(items, true));
  }

  void append(List<PickleValue> items) throws Fault {
    if (!(top() instanceof Sequence list) || list.isTuple()) {
      throw new Fault("appends to what is no list");
    }
    count(items.size());
    list.items().addAll(items);
  }

  void setItems(List<PickleValue> items) throws Fault {
    if (!(top() instanceof Dictionary dictionary) || items.size() % 2 != 0) {
      throw new Fault("sets an entry of what is no dictionary, or one without a value");
    }
    count(items.size());
    for (int i = 0; i < items.size(); i += 2) {
      String key = key(items.get(i));
      if (dictionary.entries().put(key, items.get(i + 1)) != null) {
        throw new Fault(
            "names '" + key.substring(0, Math.min(key.length(), 80)) + "' twice in one dictionary");
      }
    }
  }

  private static String key(PickleValue value) throws Fault {
    if (value instanceof Text text) {
      return text.value();
    }
    if (value instanceof Whole whole) {
      return Long.toString(whole.value());
    }
    throw new Fault("a key of a dictionary must be a text or an integer, got " + value);
  }

  void remember() throws Fault {
    remember(memo.size());
  }

  void remember(int index) throws Fault {
    count(1);
    memo.put(index, top());
  }

  void recall(int index) throws Fault {
    PickleValue value = memo.get(index);
    if (value == null) {
      throw new Fault("recalls value " + index + ", which was never remembered");
    }
    push(value);
  }

  /** The one value that is left at the end. */
  PickleValue result() throws Fault {
    if (values.size() != 1) {
      throw new Fault("ends with " + values.size() + " values, expected 1");
    }
    return top();
  }
}
