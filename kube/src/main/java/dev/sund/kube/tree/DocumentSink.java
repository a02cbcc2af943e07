package dev.sund.kube.tree;

/** Takes the documents of a text one after another. */
public interface DocumentSink {
  /**
   * One element of the list {@code items} of the document that is being read; {@link #document}
   * follows, with {@code items} empty.
   */
  void item(Tree item);

  /** A whole document; an empty document is not told. */
  void document(Tree document);
}
