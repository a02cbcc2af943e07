package dev.sund.agent.bridge;

import dev.sund.engine.hostlocal.AddressOwner;
import dev.sund.engine.hostlocal.AddressStore;
import dev.sund.engine.hostlocal.AddressStoreException;
import dev.sund.kernel.FileMutex;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A network's addresses in host-local's form (C11): a file an address, named by it, that holds
 * {@code CONTAINER CR LF INTERFACE}; {@code last_reserved_ip.SET}; and the lock.
 *
 * <p>What happens when the agent dies: a file that stands takes its address until DEL or GC. Files
 * do not say of which boot they are; GC removes those that the runtime does not know.
 */
final class FileAddressStore implements AddressStore {
  private static final String LAST = "last_reserved_ip.";

  private final Path directory;
  private final AddressIndex index;
  private final FileMutex mutex;
  private final Runnable closed;
  private boolean open = true;

  FileAddressStore(Path directory, AddressIndex index, FileMutex mutex, Runnable closed) {
    this.directory = directory;
    this.index = index;
    this.mutex = mutex;
    this.closed = closed;
  }

  @Override
  public boolean take(Ip ip, AddressOwner owner, int set) throws AddressStoreException {
    String text = text(owner);
    owners();
    try {
      Files.writeString(file(ip), text, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } catch (FileAlreadyExistsException _) {
      return false;
    } catch (IOException e) {
      throw failure("write", file(ip), e);
    }
    Path last = directory.resolve(LAST + set);
    try {
      Files.writeString(last, ip.toString());
      index.taken(ip, text, directory);
      return true;
    } catch (IOException e) {
      index.doubt();
      throw failure("write", last, e);
    }
  }

  @Override
  public Optional<Ip> lastTaken(int set) throws AddressStoreException {
    Path last = directory.resolve(LAST + set);
    try {
      return Ip.tryParse(Files.readString(last, StandardCharsets.ISO_8859_1));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException e) {
      throw failure("read", last, e);
    }
  }

  @Override
  public List<Ip> of(AddressOwner owner) throws AddressStoreException {
    return ips(text -> isOf(owner, text));
  }

  @Override
  public boolean isTaken(Ip ip) throws AddressStoreException {
    return owners().containsKey(ip);
  }

  @Override
  public List<Ip> release(AddressOwner owner) throws AddressStoreException {
    List<Ip> held = of(owner);
    if (held.isEmpty()) {
      index.doubt(); // what another program has just taken for it must not stay
      held = of(owner);
    }
    remove(held);
    return held;
  }

  /**
   * Gives back all addresses whose owners are not wanted any more.
   *
   * @param wanted by {@code CONTAINER/INTERFACE}; a file that names no interface is asked for by
   *     {@code CONTAINER/} alone
   */
  List<Ip> keepOnly(Predicate<String> wanted) throws AddressStoreException {
    index.doubt();
    List<Ip> stray = ips(text -> !wanted.test(key(text)));
    remove(stray);
    return stray;
  }

  /** How many addresses are taken. */
  int count() throws AddressStoreException {
    return owners().size();
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      mutex.close();
      closed.run();
    }
  }

  private List<Ip> ips(Predicate<String> chosen) throws AddressStoreException {
    List<Ip> ips = new ArrayList<>();
    for (Map.Entry<Ip, String> entry : owners().entrySet()) {
      if (chosen.test(entry.getValue())) {
        ips.add(entry.getKey());
      }
    }
    return ips;
  }

  private Map<Ip, String> owners() throws AddressStoreException {
    try {
      return index.owners(directory);
    } catch (IOException e) {
      throw failure("read", directory, e);
    }
  }

  private void remove(List<Ip> ips) throws AddressStoreException {
    owners();
    for (Ip ip : ips) {
      try {
        Files.deleteIfExists(file(ip));
        index.released(ip, directory);
      } catch (IOException e) {
        index.doubt();
        throw failure("remove", file(ip), e);
      }
    }
  }

  private Path file(Ip ip) {
    return directory.resolve(ip.toString());
  }

  private static String text(AddressOwner owner) {
    return owner.containerId() + "\r\n" + owner.interfaceName();
  }

  /** Files of old versions of host-local name the container alone. */
  private static boolean isOf(AddressOwner owner, String text) {
    return text.equals(text(owner)) || text.equals(owner.containerId());
  }

  private static String key(String text) {
    int end = text.indexOf('\r');
    return end < 0 ? text + "/" : text.substring(0, end) + "/" + text.substring(end).strip();
  }

  private static AddressStoreException failure(String operation, Path file, IOException e) {
    return new AddressStoreException(
        "Cannot "
            + operation
            + " "
            + file
            + ": "
            + e.getClass().getSimpleName()
            + " "
            + e.getMessage(),
        e);
  }
}
