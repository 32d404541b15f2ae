served();
