package dev.sund.engine.hostlocal;

import dev.sund.model.Ip;
import java.util.List;
import java.util.Optional;

/**
 * What is taken of a network's addresses, and by whom. Whoever has one has it alone, until it is
 * closed: other programs on the same addresses wait.
 */
public interface AddressStore extends AutoCloseable {

  /**
   * Takes an address, and remembers it as the last one taken of its set.
   *
   * @param set the number of the range set
   * @return false when somebody has it
   */
  boolean take(Ip ip, AddressOwner owner, int set) throws AddressStoreException;

  /** The last address taken of this set. */
  Optional<Ip> lastTaken(int set) throws AddressStoreException;

  /** What an interface has, in the addresses' order. */
  List<Ip> of(AddressOwner owner) throws AddressStoreException;

  /** Whether somebody has it. May be out of date: only {@link #take} says for sure. */
  boolean isTaken(Ip ip) throws AddressStoreException;

  /**
   * Gives back all that an interface has.
   *
   * @return what it had
   */
  List<Ip> release(AddressOwner owner) throws AddressStoreException;

  @Override
  void close() throws AddressStoreException;
}
