package dev.sund.engine.policy.audit;

/**
 * From one side to another one: namespaces, workloads, or what is outside.
 *
 * @param <T> what names a side
 */
public record Crossing<T extends Comparable<? super T>>(T from, T to)
    implements Comparable<Crossing<T>> {
  @Override
  public int compareTo(Crossing<T> other) {
    int order = from.compareTo(other.from);
    return order == 0 ? to.compareTo(other.to) : order;
  }
}
