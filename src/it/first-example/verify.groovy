import java.util.zip.ZipFile

// What is no API is not in the Javadoc that users read.
def target = new File(basedir, '../..').canonicalFile
def javadoc = target.listFiles().find { it.name.endsWith('-javadoc.jar') }
if (javadoc == null) {
  println "Javadoc not checked: -Dmaven.javadoc.skip left it out of ${target}"
  return true
}
new ZipFile(javadoc).withCloseable { zip ->
  def names = zip.entries().collect { it.name }
  // Below a folder of the module's name where the plugin reads the jar as a module.
  assert names.any { it.endsWith('io/matryoshka/sae/SAE.html') && !it.contains('class-use') } : names
  assert names.every { !it.contains('/internal/') } : names.findAll { it.contains('/internal/') }
}
return true
