package dev.sund.kube.tree;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.common.Anchor;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/** Reads YAML event by event into {@link Tree}s. An alias shares its anchor's tree. */
public final class YamlTrees {
  /** Aliases of aliases can make a small text mean billions of values. */
  private static final long MAX_REPEATED = 1_000_000;

  private final DocumentSink sink;
  private final Iterator<Event> events;
  private final Map<Anchor, Anchored> anchors = new HashMap<>();
  private Event event;
  private long values;
  private long repeated;

  /** A value that aliases may repeat, and how many values it is made of. */
  private record Anchored(Tree tree, long values) {}

  private YamlTrees(String text, DocumentSink sink) {
    this.sink = sink;
    LoadSettings settings =
        LoadSettings.builder()
            .setCodePointLimit(Integer.MAX_VALUE)
            .setParseComments(false)
            .setUseMarks(true)
            .build();
    events = new Parse(settings).parseString(text).iterator();
    event = events.next();
  }

  /**
   * All documents of {@code text}, each whole.
   *
   * @throws MalformedException at the first fault
   */
  public static List<Tree> documents(String text) throws MalformedException {
    List<Tree> documents = new ArrayList<>();
    read(text, DocumentSink.into(documents));
    return documents;
  }

  /**
   * Reads all documents of {@code text}.
   *
   * @throws MalformedException at the first fault; what came before it has been told
   */
  public static void read(String text, DocumentSink sink) throws MalformedException {
    try {
      new YamlTrees(text, sink).stream();
    } catch (MarkedYamlEngineException e) {
      // Where the text ends says less than where what is not closed began.
      boolean atEnd = e.getProblem().contains("end of stream");
      Optional<Mark> mark =
          atEnd
              ? e.getContextMark().or(e::getProblemMark)
              : e.getProblemMark().or(e::getContextMark);
      throw new MalformedException(
          mark.map(Mark::getLine).orElse(0) + 1,
          mark.map(Mark::getColumn).orElse(0) + 1,
          sentence(e));
    } catch (YamlEngineException e) {
      throw new MalformedException(1, 1, String.valueOf(e.getMessage()));
    }
  }

  private static String sentence(MarkedYamlEngineException fault) {
    String problem = fault.getProblem();
    if (problem.contains("'\\t") || problem.contains("\\t(TAB)")) {
      return "a tab is used for indentation, which YAML forbids; use spaces";
    }
    String context = fault.getContext();
    return context == null || context.isEmpty() ? problem : context + ", " + problem;
  }

  private void stream() throws MalformedException {
    while (true) {
      switch (event.getEventId()) {
        case StreamEnd -> {
          return;
        }
        case DocumentStart -> {
          next();
          document();
          anchors.clear();
        }
        default -> next();
      }
    }
  }

  private void next() {
    event = events.next();
  }

  private void document() throws MalformedException {
    if (event instanceof MappingStartEvent start && start.getAnchor().isEmpty()) {
      sink.document(mapping(0, true));
      return;
    }
    Tree tree = value(0);
    boolean empty = tree instanceof Tree.Scalar scalar && scalar.kind() == Tree.Kind.NULL;
    if (!empty) {
      sink.document(tree);
    }
  }

  private Tree value(int depth) throws MalformedException {
    int line = line();
    int column = column();
    if (depth > JsonTrees.MAX_DEPTH) {
      throw new MalformedException(line, column, "values are nested more than 200 deep");
    }
    if (event instanceof AliasEvent alias) {
      next();
      Anchored shared = anchors.get(alias.getAlias());
      if (shared == null) {
        throw new MalformedException(
            line, column, "the alias *" + alias.getAlias() + " names no anchor before it");
      }
      values += shared.values;
      repeated += shared.values;
      if (repeated > MAX_REPEATED) {
        throw new MalformedException(line, column, "aliases repeat more than 1000000 values");
      }
      return shared.tree;
    }
    long before = values++;
    if (event instanceof ScalarEvent scalar) {
      boolean text =
          scalar.getScalarStyle() != ScalarStyle.PLAIN
              || scalar.getTag().filter("tag:yaml.org,2002:str"::equals).isPresent();
      Tree tree = new Tree.Scalar(scalar.getValue(), text, line, column);
      scalar.getAnchor().ifPresent(anchor -> remember(anchor, tree, before));
      next();
      return tree;
    }
    if (event instanceof SequenceStartEvent start) {
      next();
      List<Tree> items = new ArrayList<>();
      while (event.getEventId() != Event.ID.SequenceEnd) {
        items.add(value(depth + 1));
      }
      next();
      Tree tree = new Tree.Sequence(items, line, column);
      start.getAnchor().ifPresent(anchor -> remember(anchor, tree, before));
      return tree;
    }
    if (event instanceof MappingStartEvent start) {
      Tree tree = mapping(depth, false);
      start.getAnchor().ifPresent(anchor -> remember(anchor, tree, before));
      return tree;
    }
    throw new MalformedException(line, column, "a value is needed here");
  }

  private void remember(Anchor anchor, Tree tree, long valuesBefore) {
    anchors.put(anchor, new Anchored(tree, values - valuesBefore));
  }

  private Tree.Mapping mapping(int depth, boolean root) throws MalformedException {
    int line = line();
    int column = column();
    next();
    Map<String, Tree> fields = new LinkedHashMap<>();
    List<Tree> merged = new ArrayList<>();
    while (event.getEventId() != Event.ID.MappingEnd) {
      int keyLine = line();
      int keyColumn = column();
      if (!(value(depth + 1) instanceof Tree.Scalar key)) {
        throw new MalformedException(keyLine, keyColumn, "a key must be a single word");
      }
      boolean list = event instanceof SequenceStartEvent start && start.getAnchor().isEmpty();
      if (root && list && key.text().equals("items")) {
        JsonTrees.putOnce(fields, key.text(), streamedItems(), keyLine, keyColumn);
      } else if (key.text().equals("<<") && !key.quoted()) {
        merged.add(value(depth + 1));
      } else {
        JsonTrees.putOnce(fields, key.text(), value(depth + 1), keyLine, keyColumn);
      }
    }
    next();
    for (Tree source : merged) {
      merge(fields, source);
    }
    return new Tree.Mapping(fields, line, column);
  }

  private Tree streamedItems() throws MalformedException {
    Tree empty = new Tree.Sequence(List.of(), line(), column());
    next();
    while (event.getEventId() != Event.ID.SequenceEnd) {
      sink.item(value(1));
    }
    next();
    return empty;
  }

  private static void merge(Map<String, Tree> fields, Tree source) throws MalformedException {
    switch (source) {
      case Tree.Mapping mapping -> mapping.fields().forEach(fields::putIfAbsent);
      case Tree.Sequence sequence -> {
        for (Tree item : sequence.items()) {
          merge(fields, item);
        }
      }
      case Tree.Scalar scalar ->
          throw new MalformedException(
              scalar.line(), scalar.column(), "the merge key << needs a mapping");
    }
  }

  private int line() {
    return event.getStartMark().map(Mark::getLine).orElse(0) + 1;
  }

  private int column() {
    return event.getStartMark().map(Mark::getColumn).orElse(0) + 1;
  }
}
